//! What hyper reads of a connection: whole heads that it can read, and the bodies behind them. Head
//! and idle times run here, because they are of the bytes that have not come.

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

use super::{
    Limits,
    exchange::Exchange,
    framing::Framing,
    idle::{self, Idle},
    write_progress::WriteProgress,
};
use crate::{http::refused_head::RefusedHead, quality::Reason};

/// A stream that ends before the first head that is refused.
#[derive(Debug)]
pub(super) struct Gate {
    stream: WriteProgress,
    limits: Limits,
    idle: Idle,
    exchange: Exchange,
    framing: Framing,
    /// The rest of a head that hyper has not taken yet.
    head: Bytes,
    /// When the head that has begun has to be whole.
    head_deadline: Option<Instant>,
    timer: Pin<Box<Sleep>>,
    end: Option<End>,
}

/// Why nothing more is read.
#[derive(Debug)]
enum End {
    Idle,
    Refused(RefusedHead),
}

impl Gate {
    pub(super) fn new(
        stream: WriteProgress,
        limits: Limits,
        idle: Idle,
        exchange: Exchange,
    ) -> Self {
        Self {
            stream,
            limits,
            idle,
            exchange,
            framing: Framing::new(limits.head_bytes),
            head: Bytes::new(),
            head_deadline: None,
            timer: Box::pin(tokio::time::sleep(limits.keep_alive)),
            end: None,
        }
    }

    /// The stream, and the head that has yet to be answered.
    pub(super) fn into_parts(self) -> (WriteProgress, Option<RefusedHead>) {
        let refused = match self.end {
            Some(End::Refused(refused)) => Some(refused),
            Some(End::Idle) | None => None,
        };
        (self.stream, refused)
    }

    /// Reads until there is a head; true at the end of what is read.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            if self.end.is_some() {
                // The request before is answered first, and its end wakes the task.
                return if self.exchange.runs(cx.waker()) {
                    Poll::Pending
                } else {
                    Poll::Ready(Ok(true))
                };
            }
            match self.framing.next_head() {
                Ok(Some(head)) => {
                    self.idle.end();
                    self.exchange.begin();
                    self.head_deadline = None;
                    self.head = head;
                    return Poll::Ready(Ok(false));
                }
                Ok(None) => {}
                Err(refused) => {
                    self.refuse(refused);
                    continue;
                }
            }
            let mut bytes = [MaybeUninit::uninit(); 4 << 10];
            let mut buffer = ReadBuf::uninit(&mut bytes);
            let read = Pin::new(&mut self.stream).poll_read(cx, &mut buffer);
            if read.is_pending() {
                ready!(self.poll_time(cx));
                continue;
            }
            ready!(read)?;
            if !buffer.filled().is_empty() {
                self.framing.hold(buffer.filled());
            } else if self.framing.has_part_of_head() {
                self.refuse(RefusedHead::new(
                    Reason::TransportIncomplete,
                    "the connection ended before the whole head was there",
                ));
            } else {
                return Poll::Ready(Ok(true));
            }
        }
    }

    /// Waits until the peer has had its time.
    fn poll_time(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.exchange.runs(cx.waker()) {
            return Poll::Pending;
        }
        let has_begun = self.framing.has_part_of_head();
        let deadline = if has_begun {
            self.idle.end();
            let limit = self.limits.head_timeout;
            *self
                .head_deadline
                .get_or_insert_with(|| idle::now() + limit)
        } else {
            self.idle.begin() + self.limits.keep_alive
        };
        if self.timer.deadline() != deadline {
            self.timer.as_mut().reset(deadline);
        }
        ready!(self.timer.as_mut().poll(cx));
        if has_begun {
            self.refuse(RefusedHead::new(
                Reason::TransportTimeout,
                "the head of the request took too long to arrive",
            ));
        } else {
            self.end = Some(End::Idle);
        }
        Poll::Ready(())
    }

    fn refuse(&mut self, refused: RefusedHead) {
        self.idle.end();
        self.end = Some(End::Refused(refused));
    }

    fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.framing.holds_bytes() {
            buffer.put_slice(&self.framing.held_body(buffer.remaining())?);
            return Poll::Ready(Ok(()));
        }
        let start = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let bytes = &buffer.filled()[start..];
        let taken = self.framing.body(bytes)?;
        self.framing.hold(&bytes[taken..]);
        buffer.set_filled(start + taken);
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Gate {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.head.is_empty() && self.framing.expects_head() {
            let ends = ready!(self.poll_head(cx))?;
            if ends {
                return Poll::Ready(Ok(()));
            }
        }
        if self.head.is_empty() {
            return self.poll_body(cx, buffer);
        }
        let length = self.head.len().min(buffer.remaining());
        buffer.put_slice(&self.head[..length]);
        self.head.advance(length);
        // With what has come of the body, hyper reads once, into one buffer. Chunks wait until it has
        // the head: one that is malformed is told to the handler.
        if self.head.is_empty() && self.framing.holds_sized_body() {
            buffer.put_slice(&self.framing.held_body(buffer.remaining())?);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Gate {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Only what was written goes out: the last answer may be still to come.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
}

#[cfg(test)]
mod tests;
