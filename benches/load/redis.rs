//! A Redis server of its own.

use std::{
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::{Failure, now, process::Process};

const STARTS_WITHIN: Duration = Duration::from_secs(10);

/// A server on a free port that keeps nothing, and ends with this.
#[derive(Debug)]
pub(crate) struct RedisServer {
    process: Process,
    address: String,
    _folder: TempDir,
}

impl RedisServer {
    pub(crate) fn start(folder: &Path) -> Result<Self, Failure> {
        let folder = tempfile::tempdir_in(folder)?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let port = address.port().to_string();
        let child = Command::new("redis-server")
            .args(["--port", &port, "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("redis-server: {error}: apt-get install redis-server"))?;
        let server = Self {
            process: Process::new(child),
            address: address.to_string(),
            _folder: folder,
        };
        let started = now();
        while TcpStream::connect(address).is_err() {
            if now().duration_since(started) > STARTS_WITHIN {
                return Err("redis-server does not listen".into());
            }
            thread::yield_now();
        }
        Ok(server)
    }

    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }
}
