//! The bytes of a request: bounded in size, packed or not, and in the time they take to arrive.

use std::{borrow::Cow, io::Read as _, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use flate2::bufread::GzDecoder;
use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_LENGTH},
};
use http_body_util::BodyExt as _;

use super::buffer::BodyBuffer;
use crate::{
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

/// How much of a body that is too large is still taken in, so that its sender, who answers to
/// nothing while sending, gets to read why it was refused.
const MAX_DISCARDED: usize = 8 << 20;

/// Reads and unpacks a body, whose bytes are counted as they come.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    allowance: &mut BodyAllowance,
) -> Result<Bytes, Rejection> {
    let packed = match headers.get(CONTENT_ENCODING).map(|value| value.as_bytes()) {
        None | Some(b"identity") => false,
        Some(encoding) if encoding.eq_ignore_ascii_case(b"gzip") => true,
        Some(_) => {
            let detail = "the content encoding must be gzip or none";
            return Err(Rejection::new(Reason::TransportEncoding, detail));
        }
    };
    let collected = tokio::time::timeout(TIMEOUT, collect(headers, body, allowance)).await;
    let bytes = collected.map_err(|_| {
        let detail = format!(
            "the body took longer than {} s to arrive",
            TIMEOUT.as_secs()
        );
        Rejection::new(Reason::TransportTimeout, detail)
    })??;
    if !packed {
        return Ok(bytes.into_bytes());
    }
    let unpacked = unpack(bytes.as_ref(), allowance).await?;
    allowance.shrink(bytes.counted());
    Ok(unpacked)
}

async fn collect(
    headers: &HeaderMap,
    mut body: Body,
    allowance: &mut BodyAllowance,
) -> Result<BodyBuffer, Rejection> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok())
        .unwrap_or_default();
    // A sender that announces that much holds no place until it has come.
    if announced > MAX_DISCARDED {
        return Err(too_large());
    }
    let longest = match announced {
        0 => MAX_BYTES,
        announced => announced.min(MAX_BYTES),
    };
    let mut bytes = BodyBuffer::new(longest);
    let mut received = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Rejection::plain(Reason::TransportIncomplete))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        received += data.len();
        if received <= MAX_BYTES {
            bytes.extend(&data, allowance)?;
        } else if received > MAX_DISCARDED {
            break;
        }
    }
    if received > MAX_BYTES {
        Err(too_large())
    } else {
        Ok(bytes)
    }
}

/// What the members of a gzip file hold, one after the other (RFC 1952, 2.2); anything else after
/// the first is an error.
async fn unpack(mut packed: &[u8], allowance: &mut BodyAllowance) -> Result<Bytes, Rejection> {
    let invalid = |detail| Rejection::new(Reason::TransportCompression, detail);
    let mut unpacked = BodyBuffer::new(MAX_BYTES);
    let mut step = vec![0; LIGHT];
    for _ in 0..MAX_MEMBERS {
        let mut member = GzDecoder::new(packed);
        loop {
            let read = member
                .read(&mut step)
                .map_err(|_| invalid(Cow::Borrowed("the body is not valid gzip")))?;
            if read > MAX_BYTES - unpacked.len() {
                return Err(too_large());
            }
            if read == 0 {
                break;
            }
            unpacked.extend(&step[..read], allowance)?;
            allowance.begin_work(unpacked.len() + read).await;
        }
        packed = member.into_inner();
        if packed.is_empty() {
            return Ok(unpacked.into_bytes());
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
