//! Requests as bytes, for what no HTTP library sends.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use serde_json::Value;

/// Longer than anything that the server itself waits for.
const TIMEOUT: Duration = Duration::from_secs(20);

/// An answer, read to the end of its body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case, values as they are.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// The value of a field that stands there once.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|(field, _)| field == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} twice in {self:?}");
        value
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A connection to a listener.
#[derive(Debug)]
pub(crate) struct Raw {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Raw {
    pub(crate) fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(TIMEOUT)).unwrap();
        Self {
            stream,
            read: Vec::new(),
        }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends nothing more.
    pub(crate) fn end(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Reads on; false at the end of the connection.
    fn fill(&mut self) -> bool {
        let mut buffer = [0; 16 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(read) => {
                self.read.extend_from_slice(&buffer[..read]);
                true
            }
            Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&self.read)),
        }
    }

    /// The next answer, but for `100 Continue`. One to HEAD has no body.
    pub(crate) fn answer(&mut self, to_head: bool) -> Answer {
        let head = loop {
            let end = self.read.windows(4).position(|end| end == b"\r\n\r\n");
            if let Some(end) = end {
                let head: Vec<u8> = self.read.drain(..end + 4).collect();
                let head = String::from_utf8(head).unwrap();
                if !head.starts_with("HTTP/1.1 100 ") {
                    break head;
                }
            } else if !self.fill() {
                panic!("no answer: {:?}", String::from_utf8_lossy(&self.read));
            }
        };
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let fields: Vec<(String, String)> = lines
            .map(|line| {
                let (name, value) = line.split_once(':').unwrap();
                (name.to_ascii_lowercase(), value.trim().to_owned())
            })
            .collect();
        let mut answer = Answer {
            status: status.parse().unwrap(),
            fields,
            body: String::new(),
        };
        let length = answer.field("content-length").unwrap_or("0");
        let length: usize = if to_head { 0 } else { length.parse().unwrap() };
        while self.read.len() < length {
            assert!(self.fill(), "cut off: {answer:?}");
        }
        answer.body = String::from_utf8(self.read.drain(..length).collect()).unwrap();
        answer
    }

    /// Whether the server has ended the connection, with nothing unread before that.
    pub(crate) fn ends(&mut self) -> bool {
        self.read.is_empty() && !self.fill()
    }
}

/// The answer to one request on a connection of its own.
pub(crate) fn ask(address: &str, request: impl AsRef<[u8]>) -> Answer {
    let mut raw = Raw::connect(address);
    raw.send(request);
    raw.answer(false)
}
