//! Where one request ends and the next begins, so that each head is judged before hyper reads it.

mod chunks;
mod head;

use std::io;

use bytes::{Buf as _, Bytes, BytesMut};

use self::{
    chunks::{Chunks, Malformed},
    head::{BodyLength, Head, MAX_TARGET},
};
use crate::http::refused_head::RefusedHead;

/// The bytes of a connection, cut into heads and bodies.
#[derive(Debug)]
pub(super) struct Framing {
    next: Next,
    /// What has come and is not passed on.
    held: BytesMut,
    /// How much of it was looked at for the end of a head.
    seen: usize,
    max_head: usize,
}

/// What comes next.
#[derive(Debug)]
enum Next {
    Head,
    Sized(u64),
    Chunked(Chunks),
}

impl Framing {
    pub(super) fn new(max_head: usize) -> Self {
        Self {
            next: Next::Head,
            held: BytesMut::new(),
            seen: 0,
            max_head,
        }
    }

    pub(super) const fn expects_head(&self) -> bool {
        matches!(self.next, Next::Head)
    }

    /// Whether part of a head has come.
    pub(super) fn has_part_of_head(&self) -> bool {
        self.expects_head() && !self.held.is_empty() && *self.held != *b"\r"
    }

    pub(super) fn holds_bytes(&self) -> bool {
        !self.held.is_empty()
    }

    /// Whether some of a body is held that has its length from the head.
    pub(super) fn holds_sized_body(&self) -> bool {
        matches!(self.next, Next::Sized(_)) && self.holds_bytes()
    }

    /// Takes in bytes that have come.
    pub(super) fn hold(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next head, once it is whole.
    pub(super) fn next_head(&mut self) -> Result<Option<Bytes>, RefusedHead> {
        // Empty lines before a request mean nothing (RFC 9112, 2.2).
        while let [b'\r', b'\n', ..] | [b'\n', ..] = *self.held {
            let line = if self.held[0] == b'\n' { 1 } else { 2 };
            self.held.advance(line);
            self.seen = 0;
        }
        if !self.has_part_of_head() || !self.is_worth_reading() {
            return Ok(None);
        }
        self.seen = self.held.len();
        let Some(Head { length, body }) = head::read(&self.held, self.max_head)? else {
            return Ok(None);
        };
        self.seen = 0;
        self.next = match body {
            BodyLength::Sized(0) => Next::Head,
            BodyLength::Sized(bytes) => Next::Sized(bytes),
            BodyLength::Chunked => Next::Chunked(Chunks::new()),
        };
        Ok(Some(self.held.split_to(length).freeze()))
    }

    /// A head that arrives in many pieces is not read from its beginning for each.
    fn is_worth_reading(&self) -> bool {
        let new = &self.held[self.seen..];
        self.seen == 0
            || new.contains(&b'\n')
            || self.held.len() >= self.max_head
            || (self.held.len() > MAX_TARGET && !self.held.contains(&b'\n'))
    }

    /// Bytes of the body that are held.
    pub(super) fn held_body(&mut self, max: usize) -> io::Result<Bytes> {
        let max = max.min(self.held.len());
        let held = self.held.split_to(max);
        let taken = self.body(&held)?;
        // What follows the body goes back to its place.
        let mut body = held;
        let mut rest = body.split_off(taken);
        if !rest.is_empty() {
            rest.unsplit(std::mem::take(&mut self.held));
            self.held = rest;
        }
        Ok(body.freeze())
    }

    /// How many of these bytes belong to the body.
    pub(super) fn body(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.next {
            Next::Head => Ok(0),
            Next::Sized(left) => {
                let here = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                let taken = here.min(*left);
                *left -= taken;
                if *left == 0 {
                    self.next = Next::Head;
                }
                Ok(usize::try_from(taken).unwrap_or(bytes.len()))
            }
            // The handler is told that the body is malformed; nothing behind it is read.
            Next::Chunked(chunks) => match chunks.follow(bytes) {
                Ok(None) => Ok(bytes.len()),
                Ok(Some(taken)) => {
                    self.next = Next::Head;
                    Ok(taken)
                }
                Err(Malformed) => Err(io::ErrorKind::InvalidData.into()),
            },
        }
    }
}

#[cfg(test)]
mod tests;
