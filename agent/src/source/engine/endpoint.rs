//! Where an engine listens.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Sockets tried, in order, where the operator named none.
const USUAL_SOCKETS: [&str; 3] = [
    "/run/docker.sock",
    "/var/run/docker.sock",
    "/run/podman/podman.sock",
];

/// An address that no engine can be reached at.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("engine address `{given}`: {fault}; give unix:///PATH, /PATH, tcp://HOST:PORT or http://HOST:PORT")]
pub struct EndpointError {
    given: String,
    fault: String,
}

/// An address of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Unix(PathBuf),
    Tcp(String),
    /// The first of these sockets that exists, looked up anew each time.
    Usual(Vec<PathBuf>),
}

/// What to connect to, now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Unix(PathBuf),
    Tcp(String),
}

impl Address {
    /// As `DOCKER_HOST` has it.
    pub(super) fn uri(&self) -> String {
        match self {
            Self::Unix(path) => format!("unix://{}", path.display()),
            Self::Tcp(host) => format!("tcp://{host}"),
        }
    }
}

/// The file behind a socket's path: an engine that starts anew makes a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SocketFile {
    dev: u64,
    ino: u64,
}

impl Endpoint {
    /// Reads an address: `unix:///PATH`, `/PATH`, `tcp://HOST:PORT` or `http://HOST:PORT`.
    ///
    /// # Errors
    ///
    /// Anything else, in one line that says what is wrong and what is accepted.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let fault = |fault: &str| EndpointError {
            given: text.to_owned(),
            fault: fault.to_owned(),
        };
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        match scheme {
            _ if text.is_empty() => Err(fault("it is empty")),
            "" | "unix" if rest.starts_with('/') => Ok(Self(Kind::Unix(rest.into()))),
            "" => Err(fault("it is neither a URI nor an absolute path")),
            "unix" => Err(fault("the path of a socket is absolute")),
            "tcp" | "http" => authority(rest).map(|host| Self(Kind::Tcp(host))).map_err(fault),
            "https" => Err(fault("TLS is not supported")),
            other => Err(fault(&format!("`{other}` is not supported"))),
        }
    }

    /// The address in `DOCKER_HOST`; without one, the socket of Docker, or of Podman where only that exists.
    /// Which of those exists is looked up at every connection, for the engine may start after us.
    ///
    /// # Errors
    ///
    /// As [`Endpoint::parse`], where `DOCKER_HOST` is set to something else.
    pub fn from_environment() -> Result<Self, EndpointError> {
        Self::from_value(std::env::var_os("DOCKER_HOST").map(|value| value.to_string_lossy().into_owned()))
    }

    fn from_value(docker_host: Option<String>) -> Result<Self, EndpointError> {
        match docker_host {
            Some(text) if !text.is_empty() => Self::parse(&text),
            _ => Ok(Self::first_of(USUAL_SOCKETS.map(PathBuf::from).to_vec())),
        }
    }

    /// The first of these sockets that exists at the time of a connection.
    pub(super) fn first_of(paths: Vec<PathBuf>) -> Self {
        Self(Kind::Usual(paths))
    }

    /// Path of the socket as of now; none for an engine behind TCP.
    #[must_use]
    pub fn socket_path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Unix(path) => Some(path),
            Kind::Tcp(_) => None,
            Kind::Usual(paths) => paths
                .iter()
                .find(|path| path.exists())
                .or_else(|| paths.first())
                .map(PathBuf::as_path),
        }
    }

    pub(super) fn address(&self) -> Address {
        match (&self.0, self.socket_path()) {
            (Kind::Tcp(host), _) => Address::Tcp(host.clone()),
            (_, path) => Address::Unix(path.unwrap_or(Path::new("")).to_owned()),
        }
    }

    pub(super) fn socket_file(&self) -> Option<SocketFile> {
        let metadata = std::fs::metadata(self.socket_path()?).ok()?;
        Some(SocketFile {
            dev: metadata.dev(),
            ino: metadata.ino(),
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Unix(path) => write!(f, "{}", path.display()),
            Kind::Tcp(host) => write!(f, "tcp://{host}"),
            Kind::Usual(paths) => {
                let names: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}

fn authority(text: &str) -> Result<String, &'static str> {
    let host = text.strip_suffix('/').unwrap_or(text);
    if host.contains(['/', '?', '#', '@']) {
        return Err("a host and a port stand alone, without path or user");
    }
    let (name, port) = host.rsplit_once(':').ok_or("the port is missing")?;
    if name.is_empty() || name.parse::<std::net::Ipv6Addr>().is_ok() {
        return Err("the host is missing, or an IPv6 address without brackets");
    }
    match port.parse::<u16>() {
        Ok(1..) => Ok(host.to_owned()),
        _ => Err("the port is not a number from 1 to 65535"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<Address, &str>) {
        match (Endpoint::parse(text), expected) {
            (Ok(endpoint), Ok(address)) => assert_eq!(endpoint.address(), address, "{text}"),
            (Err(error), Err(part)) => {
                let line = error.to_string();
                assert!(line.contains(part), "{line}");
                assert!(line.contains("unix:///PATH") && !line.contains('\n'), "{line}");
            }
            (got, expected) => panic!("{text}: {got:?}, not {expected:?}"),
        }
    }

    #[test]
    fn an_address_is_a_socket_or_a_host_with_a_port() {
        let unix = |path: &str| Ok(Address::Unix(path.into()));
        let tcp = |host: &str| Ok(Address::Tcp(host.into()));
        check("unix:///run/docker.sock", unix("/run/docker.sock"));
        check("/run/podman/podman.sock", unix("/run/podman/podman.sock"));
        check("tcp://localhost:2375", tcp("localhost:2375"));
        check("http://[::1]:2375/", tcp("[::1]:2375"));
    }

    #[test]
    fn anything_else_is_refused_in_one_line() {
        check("", Err("empty"));
        check("docker.sock", Err("absolute path"));
        check("unix://docker.sock", Err("absolute"));
        check("tcp://localhost", Err("port is missing"));
        check("tcp://:2375", Err("host is missing"));
        check("tcp://::1:2375", Err("brackets"));
        check("tcp://host:0", Err("65535"));
        check("http://host:2375/v1", Err("without path"));
        check("https://host:2376", Err("TLS"));
        check("ssh://host", Err("`ssh`"));
        check("npipe:////./pipe/docker", Err("`npipe`"));
    }

    #[test]
    fn the_environment_decides_where_it_says_anything() {
        let named = Endpoint::from_value(Some("unix:///x".into())).unwrap();
        assert_eq!(named.socket_path(), Some(Path::new("/x")));
        assert!(Endpoint::from_value(Some("ssh://host".into())).is_err());
        for unset in [None, Some(String::new())] {
            let usual = Endpoint::from_value(unset).unwrap();
            assert_eq!(
                usual,
                Endpoint::first_of(USUAL_SOCKETS.map(PathBuf::from).to_vec())
            );
        }
    }

    #[test]
    fn among_the_usual_sockets_the_first_that_exists_now_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let [docker, podman] = ["docker.sock", "podman.sock"].map(|name| dir.path().join(name));
        let endpoint = Endpoint::first_of(vec![docker.clone(), podman.clone()]);
        assert_eq!(endpoint.socket_path(), Some(docker.as_path()));
        assert_eq!(endpoint.socket_file(), None);
        std::fs::write(&podman, "").unwrap();
        assert_eq!(endpoint.socket_path(), Some(podman.as_path()));
        let second = endpoint.socket_file();
        std::fs::write(&docker, "").unwrap();
        assert_eq!(endpoint.socket_path(), Some(docker.as_path()));
        assert_ne!(endpoint.socket_file(), second);
    }
}
