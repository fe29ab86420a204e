//! Container engines, through their API (Docker Engine 20.10 and later, Podman 4 and later).

mod convert;
mod endpoint;
mod error;
mod transport;

pub use endpoint::{Endpoint, EndpointError};
