//! Why an engine did not answer.

use std::error::Error as _;
use std::time::Duration;

use super::transport::TooMuch;

/// A request that brought no usable answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestError {
    /// There is no socket.
    #[error("its socket does not exist")]
    Absent,
    /// Nobody listens on the socket or port.
    #[error("nobody listens at its address")]
    Refused,
    /// We may not connect.
    #[error("we are not permitted to connect")]
    Denied,
    /// No answer came in time.
    #[error("it did not answer {what} within {limit:?}")]
    Timeout {
        /// The request.
        what: &'static str,
        /// The time it was given.
        limit: Duration,
    },
    /// The engine does not know the object.
    #[error("it knows no such object")]
    NotFound,
    /// The engine answered with an error.
    #[error("it answered {status}: {message}")]
    Status {
        /// HTTP status.
        status: u16,
        /// What it said, shortened.
        message: String,
    },
    /// The answer is not what the API promises.
    #[error("its answer cannot be read: {0}")]
    Decode(String),
    /// The answer is longer than any honest one.
    #[error("its answer is too long")]
    TooLong,
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[source] bollard::errors::Error),
}

/// Longest message of an engine that is passed on, in characters.
pub(super) const MESSAGE_LEN: usize = 200;

impl RequestError {
    /// Reason in a gap record for something that this error kept from us.
    pub(super) const fn gap_reason(&self) -> &'static str {
        match self {
            Self::Decode(_) | Self::TooLong => "decode",
            _ => "fault",
        }
    }
}

/// The error and its causes, in one line.
pub(super) fn in_full(error: &RequestError) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Some wrappers repeat what they wrap.
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    line.chars().take(MESSAGE_LEN).collect()
}

impl From<bollard::errors::Error> for RequestError {
    fn from(error: bollard::errors::Error) -> Self {
        use bollard::errors::Error;
        match error {
            Error::DockerResponseServerError { status_code: 404, .. } => Self::NotFound,
            Error::DockerResponseServerError { status_code, message } => Self::Status {
                status: status_code,
                message: message.chars().take(MESSAGE_LEN).collect(),
            },
            Error::JsonDataError { message, .. } => Self::Decode(message.chars().take(MESSAGE_LEN).collect()),
            Error::JsonSerdeError { err } => Self::Decode(err.to_string()),
            Error::IOError { err } => Self::from_io(err),
            other if is_too_long(&other) => Self::TooLong,
            other => Self::Broken(other),
        }
    }
}

impl RequestError {
    pub(super) fn from_io(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::Absent,
            std::io::ErrorKind::ConnectionRefused => Self::Refused,
            std::io::ErrorKind::PermissionDenied => Self::Denied,
            _ => Self::Broken(error.into()),
        }
    }
}

/// Whether our own limit is what broke the connection: hyper wraps it.
fn is_too_long(error: &bollard::errors::Error) -> bool {
    let mut cause = error.source();
    if let bollard::errors::Error::HyperResponseError { err } = error {
        cause = Some(err);
    }
    while let Some(error) = cause {
        // An I/O error shows what it wraps only this way.
        let wrapped = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        if wrapped.is_some_and(|wrapped| wrapped.is::<TooMuch>()) {
            return true;
        }
        cause = error.source();
    }
    false
}
