//! Connections to an engine that cannot be made to fill our memory: each may bring so many bytes and no more.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};
use hyper::body::Incoming;
use hyper::header::{HOST, HeaderValue};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::endpoint::Address;

/// Bollard's own limit on the wait for the head of an answer. Ours are shorter, and the stream of events must have
/// none: Podman sends its head with the first event.
const NEVER_SECONDS: u64 = 10 * 365 * 24 * 3600;

/// The peer sent more than it was allowed.
#[derive(Debug, thiserror::Error)]
#[error("more bytes than allowed")]
pub(super) struct TooMuch;

/// Bytes that a connection may still bring.
#[derive(Clone, Debug)]
pub(super) struct Allowance {
    full: u64,
    left: Arc<AtomicU64>,
}

impl Allowance {
    pub(super) fn new(full: u64) -> Self {
        Self {
            full,
            left: Arc::new(AtomicU64::new(full)),
        }
    }

    /// Allows the full number again.
    pub(super) fn renew(&self) {
        self.left.store(self.full, Ordering::Relaxed);
    }

    /// Whether there is nothing left: bollard loses the cause of an error in a stream.
    pub(super) fn is_spent(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    fn spend(&self, bytes: usize) -> Result<(), TooMuch> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let spend = |left: u64| Some(left.saturating_sub(bytes));
        let left = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend)
            .unwrap_or_else(|left| left);
        if left > bytes { Ok(()) } else { Err(TooMuch) }
    }
}

/// A client whose every request has a connection of its own with an allowance of its own.
pub(super) fn bounded(address: &Address, bytes: u64) -> Result<Docker, Error> {
    let address = address.clone();
    client(move |request| send(address.clone(), Allowance::new(bytes), request))
}

/// A client whose connections share an allowance, which its user renews.
pub(super) fn metered(address: &Address, allowance: &Allowance) -> Result<Docker, Error> {
    let (address, allowance) = (address.clone(), allowance.clone());
    client(move |request| send(address.clone(), allowance.clone(), request))
}

fn client<Request, Answer>(send: Request) -> Result<Docker, Error>
where
    Request: Fn(BollardRequest) -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Result<hyper::Response<Incoming>, Error>> + Send + 'static,
{
    Docker::connect_with_custom_transport(send, Some("http://engine"), NEVER_SECONDS, API_DEFAULT_VERSION)
}

async fn send(
    address: Address,
    allowance: Allowance,
    request: BollardRequest,
) -> Result<hyper::Response<Incoming>, Error> {
    match address {
        Address::Unix(path) => exchange(UnixStream::connect(path).await?, allowance, request).await,
        Address::Tcp(host) => exchange(TcpStream::connect(host).await?, allowance, request).await,
    }
}

async fn exchange<S>(
    stream: S,
    allowance: Allowance,
    mut request: BollardRequest,
) -> Result<hyper::Response<Incoming>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // hyper leaves both to its caller: the request line has no host, and the header has one.
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    *request.uri_mut() = path.parse()?;
    request
        .headers_mut()
        .insert(HOST, HeaderValue::from_static("engine"));
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(Metered { stream, allowance })).await?;
    // Ends when the answer has been read or dropped; its error reaches the reader of the answer too.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::trace!(%error, "engine connection");
        }
    });
    Ok(sender.send_request(request).await?)
}

struct Metered<S> {
    stream: S,
    allowance: Allowance,
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        std::task::ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let read = buf.filled().len().saturating_sub(before);
        Poll::Ready(self.allowance.spend(read).map_err(io::Error::other))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
