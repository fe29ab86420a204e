//! Container engines, through their API.
