//! Questions to an engine over connections that are kept, so many at once and no more.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::HOST;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::endpoint::Address;
use super::error::{MESSAGE_LEN, RequestError};
use super::timing::Timing;

/// Connections at once.
pub(super) const CONNECTIONS: usize = 16;
/// Bytes that an inspection may have; the longest honest ones carry some hundred labels.
pub(super) const INSPECT_BYTES: u32 = 8 << 20;
/// Bytes that a list may have: some kilobytes for each container.
pub(super) const LIST_BYTES: u32 = 64 << 20;

type Connection = SendRequest<Empty<Bytes>>;

/// Connections to one engine. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Pool(Arc<Inner>);

struct Inner {
    address: Address,
    timing: Timing,
    /// After this nothing is waited for.
    end: Option<Instant>,
    idle: Mutex<Vec<Connection>>,
    slots: Semaphore,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Pool {
    /// Connections are made as they are needed. With `budget`, all questions together have this long.
    pub(super) fn new(address: Address, timing: Timing, budget: Option<Duration>) -> Self {
        Self(Arc::new(Inner {
            address,
            timing,
            end: budget.map(|budget| Instant::now() + budget),
            idle: Mutex::default(),
            slots: Semaphore::new(CONNECTIONS),
        }))
    }

    /// Asks about one object. `what` names the question in errors.
    pub(super) async fn inspect<T: DeserializeOwned>(
        &self,
        what: &'static str,
        path: &str,
    ) -> Result<T, RequestError> {
        self.get(what, path, self.0.timing.inspect, INSPECT_BYTES).await
    }

    /// Asks for a list, or about the engine.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        what: &'static str,
        path: &str,
    ) -> Result<T, RequestError> {
        self.get(what, path, self.0.timing.list, LIST_BYTES).await
    }

    async fn get<T: DeserializeOwned>(
        &self,
        what: &'static str,
        path: &str,
        limit: Duration,
        bytes: u32,
    ) -> Result<T, RequestError> {
        let _slot = self.0.slots.acquire().await.map_err(|_closed| interrupted())?;
        let left = self
            .0
            .end
            .map(|end| end.saturating_duration_since(Instant::now()));
        let limit = left.map_or(limit, |left| left.min(limit));
        let answer = tokio::time::timeout(limit, self.ask(path, bytes))
            .await
            .map_err(|_elapsed| RequestError::Timeout { what, limit })??;
        serde_json::from_slice(&answer).map_err(|error| RequestError::Decode(error.to_string()))
    }

    async fn ask(&self, path: &str, bytes: u32) -> Result<Bytes, RequestError> {
        if let Some(kept) = self.kept().await {
            match self.exchange(kept, path, bytes).await {
                // The engine may close a connection that was idle; asking twice changes nothing.
                Err(RequestError::Broken(_)) => {}
                answer => return answer,
            }
        }
        let fresh = self.connect().await?;
        self.exchange(fresh, path, bytes).await
    }

    /// A connection that was used before and is still open.
    async fn kept(&self) -> Option<Connection> {
        loop {
            let mut connection = self.idle().pop()?;
            if connection.ready().await.is_ok() {
                return Some(connection);
            }
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self) -> Result<Connection, RequestError> {
        match &self.0.address {
            Address::Unix(path) => shake_hands(UnixStream::connect(path).await).await,
            Address::Tcp(host) => shake_hands(TcpStream::connect(host).await).await,
        }
    }

    async fn exchange(
        &self,
        mut connection: Connection,
        path: &str,
        bytes: u32,
    ) -> Result<Bytes, RequestError> {
        let request = Request::get(path)
            .header(HOST, "engine")
            .body(Empty::new())
            .map_err(|error| RequestError::Decode(error.to_string()))?;
        let answer = connection.send_request(request).await.map_err(broken)?;
        let status = answer.status();
        let body = read(answer, bytes).await?;
        if !connection.is_closed() {
            self.idle().push(connection);
        }
        match status {
            StatusCode::OK => Ok(body),
            StatusCode::NOT_FOUND => Err(RequestError::NotFound),
            status => Err(RequestError::Status {
                status: status.as_u16(),
                message: message(&body),
            }),
        }
    }
}

async fn shake_hands<S>(stream: std::io::Result<S>) -> Result<Connection, RequestError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stream = stream.map_err(RequestError::from_io)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    // Ends with the last sender; its error reaches whoever waits for an answer.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::trace!(%error, "engine connection");
        }
    });
    Ok(sender)
}

async fn read(answer: Response<Incoming>, bytes: u32) -> Result<Bytes, RequestError> {
    let body = Limited::new(answer.into_body(), bytes as usize).collect().await;
    body.map(http_body_util::Collected::to_bytes).map_err(|error| {
        if error.is::<LengthLimitError>() {
            return RequestError::TooLong;
        }
        match error.downcast::<hyper::Error>() {
            Ok(error) => broken(*error),
            Err(_other) => interrupted(),
        }
    })
}

fn broken(error: hyper::Error) -> RequestError {
    RequestError::from(bollard::errors::Error::from(error))
}

fn interrupted() -> RequestError {
    RequestError::from_io(std::io::ErrorKind::Interrupted.into())
}

/// What an engine says of an error: `{"message": "…"}`.
fn message(body: &[u8]) -> String {
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let text = answer.get("message").and_then(serde_json::Value::as_str);
    text.unwrap_or_default().chars().take(MESSAGE_LEN).collect()
}
