//! An engine on a unix socket that answers what a test tells it to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

/// How a path is answered.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// With this JSON.
    Json(Value),
    /// With this status and text.
    Text(u16, String),
    /// Not at all; the connection stays open.
    Hang,
}

/// The engine. Dropped, it closes every connection and removes its socket.
#[derive(Debug)]
pub(super) struct Fake {
    world: Arc<World>,
    path: PathBuf,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Debug)]
struct World {
    answers: Mutex<BTreeMap<String, Answer>>,
    containers: Mutex<BTreeMap<String, Value>>,
    asked: watch::Sender<Vec<String>>,
    accepted: AtomicUsize,
    events: broadcast::Sender<String>,
    subscribers: watch::Sender<usize>,
}

impl Fake {
    /// An engine without containers and images.
    pub(super) fn start(path: &Path) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let world = Arc::new(World {
            answers: Mutex::default(),
            containers: Mutex::default(),
            asked: watch::Sender::new(Vec::new()),
            accepted: AtomicUsize::new(0),
            events: broadcast::Sender::new(16_384),
            subscribers: watch::Sender::new(0),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&world)));
        let fake = Self {
            world,
            path: path.to_owned(),
            server,
        };
        fake.answer(
            "/version",
            Answer::Json(
                json!({ "Version": "20.10", "Components": [{ "Name": "Engine", "Version": "20.10" }] }),
            ),
        );
        fake.answer(
            "/info",
            Answer::Json(json!({ "SecurityOptions": ["name=seccomp"] })),
        );
        fake.answer("/_ping", Answer::Text(200, "OK".into()));
        for list in ["/images/json", "/networks", "/plugins"] {
            fake.answer(list, Answer::Json(json!([])));
        }
        fake.answer("/volumes", Answer::Json(json!({ "Volumes": null })));
        fake
    }

    pub(super) fn answer(&self, path: &str, answer: Answer) {
        lock(&self.world.answers).insert(path.to_owned(), answer);
    }

    /// Adds a container to the list, and what is answered about it.
    pub(super) fn container(&self, inspection: Value) {
        let id = inspection["Id"].as_str().unwrap().to_owned();
        lock(&self.world.containers).insert(id, inspection);
    }

    /// Sends an event to everybody who follows.
    pub(super) fn event(&self, event: &Value) {
        self.raw_event(format!("{event}\n"));
    }

    pub(super) fn raw_event(&self, text: String) {
        self.world.events.send(text).unwrap();
    }

    /// Waits until somebody has followed the events so many times.
    pub(super) async fn followed(&self, times: usize) {
        let mut subscribers = self.world.subscribers.subscribe();
        subscribers.wait_for(|count| *count >= times).await.unwrap();
    }

    /// Connections so far.
    pub(super) fn accepted(&self) -> usize {
        self.world.accepted.load(Ordering::Relaxed)
    }

    /// Every request so far.
    pub(super) fn all_asked(&self) -> Vec<String> {
        self.world.asked.borrow().clone()
    }

    /// Waits until a request that contains this has come; gives it.
    pub(super) async fn asked(&self, part: &str) -> String {
        let mut asked = self.world.asked.subscribe();
        let find = |all: &Vec<String>| all.iter().find(|path| path.contains(part)).cloned();
        let all = asked.wait_for(|all| find(all).is_some()).await.unwrap();
        find(&all).unwrap()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.server.abort();
        std::fs::remove_file(&self.path).unwrap();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: UnixListener, world: Arc<World>) {
    // Connections die with the task that holds them.
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        world.accepted.fetch_add(1, Ordering::Relaxed);
        connections.spawn(connection(stream, Arc::clone(&world)));
    }
}

async fn connection(mut stream: UnixStream, world: Arc<World>) {
    while let Some(target) = request(&mut stream).await {
        world.asked.send_modify(|all| all.push(target.clone()));
        let path = target.split('?').next().unwrap();
        let reply = match answer(&world, path) {
            Answer::Hang => return std::future::pending().await,
            Answer::Text(_, text) if path == "/events" && text.is_empty() => {
                return events(stream, &world).await;
            }
            Answer::Json(value) => http(200, &value.to_string()),
            Answer::Text(status, text) => http(status, &text),
        };
        if stream.write_all(reply.as_bytes()).await.is_err() {
            // The peer has gone: that is its right.
            return;
        }
    }
}

/// Target of the next request; none where the peer sends no more.
async fn request(stream: &mut UnixStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    head.split(' ').nth(1).map(str::to_owned)
}

fn http(status: u16, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn answer(world: &World, path: &str) -> Answer {
    if let Some(told) = lock(&world.answers).get(path) {
        return told.clone();
    }
    let containers = lock(&world.containers);
    let of_container = path
        .strip_prefix("/containers/")
        .and_then(|rest| rest.strip_suffix("/json"));
    match (path, of_container.and_then(|id| containers.get(id))) {
        ("/events", _) => Answer::Text(200, String::new()),
        ("/containers/json", _) => Answer::Json(containers.keys().map(|id| json!({ "Id": id })).collect()),
        (_, Some(inspection)) => Answer::Json(inspection.clone()),
        _ => Answer::Text(404, r#"{"message":"no such object"}"#.into()),
    }
}

async fn events(mut stream: UnixStream, world: &World) {
    let mut events = world.events.subscribe();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut open = stream.write_all(head.as_bytes()).await;
    world.subscribers.send_modify(|count| *count += 1);
    while open.is_ok() {
        let event = events.recv().await.unwrap();
        open = stream
            .write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes())
            .await;
    }
}
