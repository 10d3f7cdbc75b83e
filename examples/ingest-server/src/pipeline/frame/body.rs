//! The bytes of a request: bounded in size, packed or not, and in the time they take to arrive.

use std::{
    borrow::Cow,
    error::Error,
    io::{self, ErrorKind, Read as _},
    time::Duration,
};

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_LENGTH},
};
use http_body_util::BodyExt as _;

use super::buffer::BodyBuffer;
use crate::{
    fields,
    pipeline::{allowance::BodyAllowance, rejection::Rejection},
    quality::Reason,
};

/// The largest body, as sent and unpacked.
pub(crate) const MAX_BYTES: usize = 1 << 20;

/// The most members that a packed body may be made of: each costs some microseconds, however little
/// it holds.
const MAX_MEMBERS: usize = 1_024;

/// How long a body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The content codings that are read, as a header field lists them.
pub(crate) const CONTENT_CODINGS: &str = "gzip, identity";

/// A body as far as it came.
#[derive(Debug)]
pub(super) struct Received {
    /// The bytes of it that were kept, whatever became of it. Those of a packed one count when it is
    /// unpacked.
    pub(super) bytes: usize,
    pub(super) body: Result<Body, Rejection>,
}

/// A body that came whole.
#[derive(Debug)]
pub(super) enum Body {
    Plain(Bytes),
    Packed(BodyBuffer),
}

/// The members of a gzip file, one after the other (RFC 1952, 2.2); anything else after the first is
/// an error.
#[derive(Debug)]
pub(super) struct Unpacking<'a> {
    member: GzDecoder<&'a [u8]>,
    members: usize,
    unpacked: BodyBuffer,
}

/// How far a body was unpacked.
#[derive(Debug)]
pub(super) enum Unpacked {
    Whole(Bytes),
    /// There are more bytes than were asked for.
    HasMore,
    Failed(Rejection),
}

/// Takes a body in, whose bytes are counted as they come.
pub(super) async fn receive(
    headers: &HeaderMap,
    body: axum::body::Body,
    allowance: &mut BodyAllowance,
) -> Received {
    let mut bytes = 0;
    let body = receive_counted(headers, body, &mut bytes, allowance).await;
    if matches!(body, Ok(Body::Packed(_))) {
        bytes = 0;
    }
    Received { bytes, body }
}

async fn receive_counted(
    headers: &HeaderMap,
    body: axum::body::Body,
    kept: &mut usize,
    allowance: &mut BodyAllowance,
) -> Result<Body, Rejection> {
    let packed = is_packed(headers)?;
    let collected = tokio::time::timeout(TIMEOUT, collect(headers, body, kept, allowance)).await;
    let bytes = collected.map_err(|_| {
        let detail = format!(
            "the body took longer than {} s to arrive",
            TIMEOUT.as_secs()
        );
        Rejection::new(Reason::TransportTimeout, detail)
    })??;
    Ok(if packed {
        Body::Packed(bytes)
    } else {
        Body::Plain(bytes.into_bytes())
    })
}

/// RFC 9110, 8.4: a list over all lines, of which `identity` says nothing; `x-gzip` is `gzip`.
fn is_packed(headers: &HeaderMap) -> Result<bool, Rejection> {
    let lines = headers.get_all(CONTENT_ENCODING).iter();
    let codings = fields::list(lines.map(|line| line.as_bytes()));
    let mut packed = 0;
    for coding in codings {
        match coding.to_ascii_lowercase().as_slice() {
            b"identity" => {}
            b"gzip" | b"x-gzip" => packed += 1,
            _ => {
                let detail = "the content encoding must be gzip or none";
                return Err(Rejection::new(Reason::TransportEncoding, detail));
            }
        }
    }
    if packed > 1 {
        let detail = "a body is packed once at most";
        return Err(Rejection::new(Reason::TransportEncoding, detail));
    }
    Ok(packed == 1)
}

async fn collect(
    headers: &HeaderMap,
    mut body: axum::body::Body,
    kept: &mut usize,
    allowance: &mut BodyAllowance,
) -> Result<BodyBuffer, Rejection> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok())
        .unwrap_or_default();
    // Refused before it comes. What its sender sends all the same is discarded by the listener, so
    // that the sender, who answers to nothing while sending, gets to read why.
    if announced > MAX_BYTES {
        return Err(too_large());
    }
    let mut bytes = BodyBuffer::new(match announced {
        0 => MAX_BYTES,
        announced => announced.min(MAX_BYTES),
    });
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > MAX_BYTES {
            *kept = MAX_BYTES;
            return Err(too_large());
        }
        *kept = bytes.len() + data.len();
        bytes.extend(&data, allowance)?;
    }
    Ok(bytes)
}

/// A body whose chunks are malformed, or that ended too soon.
fn broken(error: &(dyn Error + 'static)) -> Rejection {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    let is_malformed = causes
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| {
            matches!(
                cause.kind(),
                ErrorKind::InvalidData | ErrorKind::InvalidInput
            )
        });
    if is_malformed {
        let detail = "the chunks of the body are malformed";
        Rejection::new(Reason::TransportMalformed, detail)
    } else {
        Rejection::plain(Reason::TransportIncomplete)
    }
}

impl<'a> Unpacking<'a> {
    pub(super) fn new(packed: &'a [u8]) -> Self {
        Self {
            member: GzDecoder::new(packed),
            members: 1,
            unpacked: BodyBuffer::new(MAX_BYTES + 1),
        }
    }

    /// The bytes that were unpacked, whatever became of them.
    pub(super) fn bytes(&self) -> usize {
        self.unpacked.len().min(MAX_BYTES)
    }

    /// Goes on until the end, or one byte further than `bytes`.
    pub(super) fn up_to(&mut self, bytes: usize, allowance: &mut BodyAllowance) -> Unpacked {
        self.unpack(bytes.min(MAX_BYTES), allowance)
            .unwrap_or_else(Unpacked::Failed)
    }

    pub(super) fn all(mut self, allowance: &mut BodyAllowance) -> Result<Bytes, Rejection> {
        match self.up_to(MAX_BYTES, allowance) {
            Unpacked::Whole(text) => Ok(text),
            Unpacked::HasMore => Err(too_large()),
            Unpacked::Failed(rejection) => Err(rejection),
        }
    }

    fn unpack(
        &mut self,
        bytes: usize,
        allowance: &mut BodyAllowance,
    ) -> Result<Unpacked, Rejection> {
        let invalid = |detail| Rejection::new(Reason::TransportCompression, detail);
        loop {
            let mut part = [0; 4_096];
            loop {
                let room = (bytes + 1).saturating_sub(self.unpacked.len());
                let part = &mut part[..room.min(4_096)];
                let read = self.member.read(part);
                let read =
                    read.map_err(|_| invalid(Cow::Borrowed("the body is not valid gzip")))?;
                if read == 0 {
                    break;
                }
                self.unpacked.extend(&part[..read], allowance)?;
            }
            if self.unpacked.len() > MAX_BYTES {
                return Err(too_large());
            }
            if self.unpacked.len() > bytes {
                return Ok(Unpacked::HasMore);
            }
            let packed: &'a [u8] = self.member.get_ref();
            if packed.is_empty() {
                let unpacked = std::mem::replace(&mut self.unpacked, BodyBuffer::new(0));
                return Ok(Unpacked::Whole(unpacked.into_bytes()));
            }
            if self.members == MAX_MEMBERS {
                let detail = format!("a packed body has at most {MAX_MEMBERS} gzip members");
                return Err(invalid(Cow::Owned(detail)));
            }
            self.members += 1;
            self.member = GzDecoder::new(packed);
        }
    }
}

fn too_large() -> Rejection {
    let detail = format!("a body has at most {MAX_BYTES} bytes, unpacked too");
    Rejection::new(Reason::TransportTooLarge, detail)
}

#[cfg(test)]
mod tests;
