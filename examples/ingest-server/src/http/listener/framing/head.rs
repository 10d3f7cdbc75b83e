//! The head of a request: whether it is one, and how long the body behind it is (RFC 9112, 2 to 6).
//!
//! hyper reads the same bytes with the same parser afterwards. It never gets to see what is refused
//! here, because it would answer that on its own, without a problem, a trace or a count.

use http::{Method, Uri};
use httparse::{EMPTY_HEADER, Error, Request, Status};

use crate::{fields, http::refused_head::RefusedHead, quality::Reason};

/// A head that hyper can read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Its length in bytes.
    pub(super) length: usize,
    pub(super) body: BodyLength,
}

/// How the end of a body is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyLength {
    Sized(u64),
    Chunked,
}

/// The most bytes of a request's target.
pub(super) const MAX_TARGET: usize = 8 << 10;

/// The longest method, to tell it from a first line without end.
const MAX_METHOD: usize = 64;

/// As many as hyper reads.
const MAX_FIELDS: usize = 100;

/// Greater lengths have a meaning of their own for hyper.
const MAX_LENGTH: u64 = u64::MAX - 2;

/// Reads the head at the beginning of `bytes`; none while its end has not come.
pub(super) fn read(bytes: &[u8], max_bytes: usize) -> Result<Option<Head>, RefusedHead> {
    let mut fields = [EMPTY_HEADER; MAX_FIELDS];
    let mut request = Request::new(&mut fields);
    let read = match request.parse(bytes) {
        Ok(Status::Complete(length)) if length <= max_bytes => whole(&request, length).map(Some),
        Ok(Status::Partial) if bytes.len() < max_bytes => {
            check_first_line(&request, bytes).map(|()| None)
        }
        Ok(_) => Err(check_first_line(&request, bytes)
            .err()
            .unwrap_or_else(|| too_large(max_bytes))),
        Err(error) => Err(refusal(error, &request, bytes)),
    };
    read.map_err(|refused| RefusedHead {
        request_line: request_line(&request).map(Box::new),
        ..refused
    })
}

fn request_line(request: &Request<'_, '_>) -> Option<(Method, Uri)> {
    let method = Method::from_bytes(request.method?.as_bytes()).ok()?;
    Some((method, Uri::try_from(request.path?).ok()?))
}

fn whole(request: &Request<'_, '_>, length: usize) -> Result<Head, RefusedHead> {
    let target = request.path.unwrap_or_default();
    if target.len() > MAX_TARGET {
        return Err(target_too_long());
    }
    // A fragment is no part of a target, and the parser of URIs would drop it.
    if request_line(request).is_none() || target.contains('#') {
        return Err(RefusedHead::malformed(
            "the target of the request is not a path or a URI",
        ));
    }
    let body = body_length(request)?;
    Ok(Head { length, body })
}

/// RFC 9112, 6.3. Where another server might see another end, the request is refused.
fn body_length(request: &Request<'_, '_>) -> Result<BodyLength, RefusedHead> {
    let lines = |name: &'static str| {
        let fields = request.headers.iter();
        let fields = fields.filter(move |field| field.name.eq_ignore_ascii_case(name));
        fields.map(|field| field.value)
    };
    let (lengths, codings) = ("content-length", "transfer-encoding");
    match (lines(lengths).next(), lines(codings).next()) {
        (None, None) => Ok(BodyLength::Sized(0)),
        (Some(_), Some(_)) => Err(RefusedHead::malformed(
            "send either Content-Length or Transfer-Encoding",
        )),
        (None, Some(_)) if request.version != Some(1) => {
            Err(RefusedHead::malformed("HTTP/1.0 has no Transfer-Encoding"))
        }
        (None, Some(_)) => chunked(lines(codings)),
        (Some(_), None) => sized(lines(lengths)),
    }
}

fn sized<'a>(mut lines: impl Iterator<Item = &'a [u8]>) -> Result<BodyLength, RefusedHead> {
    let first = lines.next().unwrap_or_default();
    if first.is_empty() || !first.iter().all(u8::is_ascii_digit) || lines.any(|line| line != first)
    {
        return Err(RefusedHead::malformed(
            "Content-Length has to be one number",
        ));
    }
    let length = str::from_utf8(first)
        .ok()
        .and_then(|text| text.parse().ok());
    match length {
        Some(length @ ..=MAX_LENGTH) => Ok(BodyLength::Sized(length)),
        _ => Err(RefusedHead::new(
            Reason::TransportTooLarge,
            "Content-Length is more than any body has",
        )),
    }
}

fn chunked<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Result<BodyLength, RefusedHead> {
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    let lines: Vec<&[u8]> = lines.collect();
    if matches!(lines[..], [line] if is_chunked(line)) {
        return Ok(BodyLength::Chunked);
    }
    let codings: Vec<&[u8]> = fields::list(lines).collect();
    match codings[..] {
        // Where the body ends is known, and what it means is not.
        [ref others @ .., last]
            if is_chunked(last)
                && !others.is_empty()
                && !others.iter().any(|coding| is_chunked(coding)) =>
        {
            Err(RefusedHead::new(
                Reason::TransportNotImplemented,
                "the only transfer coding is chunked; compress with `Content-Encoding: gzip`",
            ))
        }
        _ => Err(RefusedHead::malformed(
            "Transfer-Encoding has to be `chunked`, once and last",
        )),
    }
}

/// Finds a first line that is too long to wait for its end.
fn check_first_line(request: &Request<'_, '_>, bytes: &[u8]) -> Result<(), RefusedHead> {
    if let Some(target) = request.path {
        return if target.len() > MAX_TARGET {
            Err(target_too_long())
        } else {
            Ok(())
        };
    }
    match bytes.iter().position(|byte| *byte == b' ') {
        Some(method) if bytes.len() - method > MAX_TARGET => Err(target_too_long()),
        None if bytes.len() > MAX_METHOD => Err(RefusedHead::new(
            Reason::TransportNotImplemented,
            "the method is not one that this service knows",
        )),
        _ => Ok(()),
    }
}

fn refusal(error: Error, request: &Request<'_, '_>, bytes: &[u8]) -> RefusedHead {
    match error {
        Error::TooManyHeaders => RefusedHead::new(
            Reason::TransportHeadTooLarge,
            format!("a request has at most {MAX_FIELDS} header fields"),
        ),
        Error::Version if names_a_version(bytes) => {
            RefusedHead::new(Reason::TransportVersion, "send HTTP/1.1 or HTTP/1.0")
        }
        _ if request.version.is_none() => RefusedHead::malformed(
            "the first line has to be a method, a target and `HTTP/1.1`, with one blank between them",
        ),
        Error::HeaderName => RefusedHead::malformed(
            "a line of the head is not a name of letters, digits and hyphens, a colon at once, and \
             a value",
        ),
        Error::HeaderValue => {
            RefusedHead::malformed("the value of a header field has a control character")
        }
        _ => RefusedHead::malformed("a line of the head ends in a bare carriage return"),
    }
}

/// Whether the first line is a method, a target, and `HTTP/` with a version of two digits.
fn names_a_version(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| matches!(byte, b'\r' | b'\n'));
    let first = lines.find(|line| !line.is_empty()).unwrap_or_default();
    let mut parts = first.split(|byte| *byte == b' ').skip(2);
    let version = parts.next().unwrap_or_default();
    parts.next().is_none()
        && matches!(
            version,
            [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9']
        )
}

fn target_too_long() -> RefusedHead {
    RefusedHead::new(
        Reason::TransportTargetTooLong,
        format!("a target has at most {MAX_TARGET} bytes"),
    )
}

fn too_large(max_bytes: usize) -> RefusedHead {
    RefusedHead::new(
        Reason::TransportHeadTooLarge,
        format!("the head of a request has at most {max_bytes} bytes"),
    )
}

#[cfg(test)]
mod tests;
