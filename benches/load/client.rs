//! One connection of HTTP/1.1 that is kept, without a client that would take processor time from what
//! is measured.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    os::fd::{AsFd, BorrowedFd},
};

use crate::Failure;

/// A connection to one listener, with at most one request on it.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    host: String,
    request: Vec<u8>,
    received: Vec<u8>,
    /// How much of `received` there is.
    length: usize,
}

/// A request but for what every one has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// Method and target.
    pub(crate) line: &'a str,
    pub(crate) credential: &'a str,
    /// Whole lines, each with its end.
    pub(crate) fields: &'a str,
    pub(crate) body: &'a [u8],
}

/// A whole answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) fn open(address: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            host: address.to_owned(),
            request: Vec::new(),
            received: vec![0; 8 << 10],
            length: 0,
        })
    }

    /// Sends a request and waits for all of its answer.
    pub(crate) fn exchange(&mut self, request: Request<'_>) -> Result<Answer<'_>, Failure> {
        self.send(request)?;
        while !self.receive()? {}
        self.answer()
    }

    /// Sends a request. What answered the one before is gone.
    pub(crate) fn send(&mut self, request: Request<'_>) -> Result<(), Failure> {
        let Request {
            line,
            credential,
            fields,
            body,
        } = request;
        self.length = 0;
        self.request.clear();
        write!(
            self.request,
            "{line} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {credential}\r\n{fields}\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.host,
            body.len()
        )?;
        self.request.extend_from_slice(body);
        Ok(self.stream.write_all(&self.request)?)
    }

    /// Reads once what has come; whether the answer is whole. Does not wait where something has.
    pub(crate) fn receive(&mut self) -> Result<bool, Failure> {
        if self.length == self.received.len() {
            self.received.resize(self.length * 2, 0);
        }
        let read = self.stream.read(&mut self.received[self.length..])?;
        if read == 0 {
            let Self { host, length, .. } = self;
            return Err(
                format!("{host} ended the connection after {length} bytes of an answer").into(),
            );
        }
        self.length += read;
        Ok(match Head::read(&self.received[..self.length])? {
            Some(head) => self.length >= head.end + head.body,
            None => false,
        })
    }

    /// The answer, once it is whole.
    pub(crate) fn answer(&self) -> Result<Answer<'_>, Failure> {
        let received = &self.received[..self.length];
        let head = Head::read(received)?.ok_or("the answer is not whole")?;
        let body = received.get(head.end..head.end + head.body);
        let body = body.ok_or("the answer is not whole")?;
        let status = head.status;
        Ok(Answer { status, body })
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

struct Head {
    status: u16,
    /// Where the body begins, and how long it is.
    end: usize,
    body: usize,
}

impl Head {
    /// None while there is more to come.
    fn read(received: &[u8]) -> Result<Option<Self>, Failure> {
        let Some(blank) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let mut lines = str::from_utf8(&received[..blank])?.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let status = status.ok_or("the answer has no status")?.parse()?;
        let length = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then_some(value.trim())
        });
        let body = length.map_or(Ok(0), str::parse)?;
        let end = blank + 4;
        Ok(Some(Self { status, end, body }))
    }
}
