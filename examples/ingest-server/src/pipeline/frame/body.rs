//! The bytes of a request: bounded in size, packed or not, and in the time they take to arrive.

use std::{
    borrow::Cow,
    error::Error,
    io::{self, ErrorKind, Read as _},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use flate2::bufread::GzDecoder;
use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_LENGTH},
};
use http_body_util::BodyExt as _;

use crate::{
    fields,
    pipeline::{
        allowance::{BodyAllowance, LIGHT},
        rejection::Rejection,
    },
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

/// Reads and unpacks a body, whose bytes are counted as they come.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    allowance: &mut BodyAllowance,
) -> Result<Bytes, Rejection> {
    let packed = is_packed(headers)?;
    let collected = tokio::time::timeout(TIMEOUT, collect(headers, body, allowance)).await;
    let bytes = collected.map_err(|_| {
        let detail = format!(
            "the body took longer than {} s to arrive",
            TIMEOUT.as_secs()
        );
        Rejection::new(Reason::TransportTimeout, detail)
    })??;
    if !packed {
        return Ok(bytes.into());
    }
    let unpacked = unpack(&bytes, allowance).await?;
    allowance.shrink(bytes.capacity());
    Ok(unpacked)
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
    mut body: Body,
    allowance: &mut BodyAllowance,
) -> Result<Vec<u8>, Rejection> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok())
        .unwrap_or_default();
    // Refused before it comes. What its sender sends all the same is discarded by the listener, so
    // that the sender, who answers to nothing while sending, gets to read why.
    if announced > MAX_BYTES {
        return Err(too_large());
    }
    let longest = match announced {
        0 => MAX_BYTES,
        announced => announced,
    };
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > MAX_BYTES {
            return Err(too_large());
        }
        allowance.extend(&mut bytes, data.len(), longest)?;
        bytes.extend_from_slice(&data);
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

/// What the members of a gzip file hold, one after the other (RFC 1952, 2.2); anything else after
/// the first is an error.
async fn unpack(mut packed: &[u8], allowance: &mut BodyAllowance) -> Result<Bytes, Rejection> {
    let invalid = |detail| Rejection::new(Reason::TransportCompression, detail);
    let mut unpacked = Vec::new();
    for _ in 0..MAX_MEMBERS {
        let mut member = GzDecoder::new(packed);
        loop {
            let step = LIGHT.min(MAX_BYTES + 1 - unpacked.len());
            allowance.extend(&mut unpacked, step, MAX_BYTES + 1)?;
            let read = member
                .by_ref()
                .take(u64::try_from(step).unwrap_or_default())
                .read_to_end(&mut unpacked)
                .map_err(|_| invalid(Cow::Borrowed("the body is not valid gzip")))?;
            if unpacked.len() > MAX_BYTES {
                return Err(too_large());
            }
            if read < step {
                break;
            }
            allowance.begin_work(unpacked.len() + 1).await;
        }
        packed = member.into_inner();
        if packed.is_empty() {
            return Ok(unpacked.into());
        }
    }
    let detail = format!("a packed body has at most {MAX_MEMBERS} gzip members");
    Err(invalid(Cow::Owned(detail)))
}

fn too_large() -> Rejection {
    let detail = format!("a body has at most {MAX_BYTES} bytes, unpacked too");
    Rejection::new(Reason::TransportTooLarge, detail)
}

#[cfg(test)]
mod tests;
