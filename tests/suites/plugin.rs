//! An authorization plugin of the engine that allows everything and remembers what it was asked.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use hullwatch_tests::Enclave;
use serde_json::{Value, json};

/// A legacy plugin: a socket where the engine looks for it. It is gone when this is dropped.
pub(crate) struct Plugin {
    socket: PathBuf,
    seen: Arc<Mutex<Vec<String>>>,
    over: Arc<AtomicBool>,
    server: Option<JoinHandle<()>>,
}

impl Plugin {
    pub(crate) fn start(enclave: &Enclave, name: &str) -> Result<Self> {
        let directory = enclave.path("/run/docker/plugins");
        fs::create_dir_all(&directory)?;
        let socket = directory.join(format!("{name}.sock"));
        let listener = UnixListener::bind(&socket).context("bind the plugin's socket")?;
        let (seen, over) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let (kept, end) = (Arc::clone(&seen), Arc::clone(&over));
        let server = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if end.load(Ordering::Acquire) {
                    return;
                }
                // Who hangs up gets no answer.
                answer(stream, &kept).ok();
            }
        });
        Ok(Self {
            socket,
            seen,
            over,
            server: Some(server),
        })
    }

    /// `METHOD URI` of all that the engine was asked so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One request on one connection.
fn answer(mut stream: UnixStream, seen: &Mutex<Vec<String>>) -> Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    let mut body = Vec::new();
    reader.take(length).read_to_end(&mut body)?;
    let reply = if request.contains("/Plugin.Activate") {
        json!({ "Implements": ["authz"] })
    } else {
        if request.contains(".AuthZReq") {
            let asked: Value = serde_json::from_slice(&body)?;
            let field = |name| asked.get(name).and_then(Value::as_str).unwrap_or_default();
            let line = format!("{} {}", field("RequestMethod"), field("RequestUri"));
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
        json!({ "Allow": true })
    };
    let reply = reply.to_string();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{reply}",
        reply.len()
    )?;
    Ok(())
}

impl Drop for Plugin {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        // Wakes the server; where it is gone already there is nobody to wake.
        UnixStream::connect(&self.socket).ok();
        fs::remove_file(&self.socket).ok();
        if let Some(server) = self.server.take() {
            server.join().ok();
        }
    }
}
