//! End-to-end tests of Hullwatch and the world they run in.
