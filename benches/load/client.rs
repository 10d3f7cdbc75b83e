//! One connection of HTTP/1.1 that is kept, without a client that would take processor time from what
//! is measured.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

use crate::Failure;

/// A connection to one listener.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::new(stream),
            host: address.to_owned(),
            request: Vec::new(),
            answer: Vec::new(),
        })
    }

    /// Sends a request and reads all of its answer: status and body.
    pub(crate) fn send(
        &mut self,
        line: &str,
        credential: &str,
        body: &[u8],
    ) -> Result<(u16, &[u8]), Failure> {
        let status = self.exchange(line, credential, body);
        let status = status.map_err(|error| format!("{line} had no answer: {error}"))?;
        Ok((status, &self.answer))
    }

    fn exchange(&mut self, line: &str, credential: &str, body: &[u8]) -> Result<u16, Failure> {
        self.request.clear();
        write!(
            self.request,
            "{line} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {credential}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.host,
            body.len()
        )?;
        self.request.extend_from_slice(body);
        self.stream.get_mut().write_all(&self.request)?;

        let mut head = String::new();
        self.stream.read_line(&mut head)?;
        let status = head.split(' ').nth(1).ok_or("the answer has no status")?;
        let status = status.parse()?;
        let mut length = 0;
        loop {
            head.clear();
            self.stream.read_line(&mut head)?;
            if head.trim_end().is_empty() {
                break;
            }
            if let Some((name, value)) = head.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        self.answer.resize(length, 0);
        self.stream.read_exact(&mut self.answer)?;
        Ok(status)
    }
}
