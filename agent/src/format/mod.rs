//! How violations look: lines for people, JSON for machines. Pure.
