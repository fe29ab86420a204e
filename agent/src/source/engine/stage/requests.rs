//! Requests that are waited for even where their asker was cancelled: what an engine makes meanwhile has to
//! be known before it can be removed.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::super::client::within;
use super::super::error::RequestError;

/// Requests under way.
#[derive(Debug, Default)]
pub(super) struct Requests(JoinSet<()>);

impl Requests {
    /// Makes a request that has `limit` to be answered. Cancelled, it goes on.
    pub(super) async fn make<T: Send + 'static>(
        &mut self,
        what: &'static str,
        limit: Duration,
        request: impl Future<Output = Result<T, bollard::errors::Error>> + Send + 'static,
    ) -> Result<T, RequestError> {
        let (tell, told) = oneshot::channel();
        self.0.spawn(async move {
            if tell.send(within(what, limit, request).await).is_err() {
                tracing::debug!(what, "Nobody waits for an engine's answer any more.");
            }
        });
        let answer = told.await;
        while self.0.try_join_next().is_some() {}
        answer.unwrap_or_else(|_ended| {
            Err(RequestError::Broken(
                std::io::Error::from(std::io::ErrorKind::Interrupted).into(),
            ))
        })
    }

    /// Waits so long for the answers that nobody waited for, and gives up the rest.
    pub(super) async fn settle(&mut self, limit: Duration) {
        let all = async { while self.0.join_next().await.is_some() {} };
        if tokio::time::timeout(limit, all).await.is_err() {
            self.0.abort_all();
        }
    }
}
