//! What HTTP demands of a head that can be read (RFC 9110, RFC 9112), before anything else is done
//! with the request. A head that could not be read comes here too: one answer for both.

use std::net::Ipv6Addr;

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use http::{
    HeaderMap, HeaderValue, Method, Request, Uri, Version,
    header::{CONNECTION, EXPECT, HOST},
};

use super::{guards::Guards, problem::Problem, refused_head::RefusedHead};
use crate::{fields, quality::Reason};

/// The methods of RFC 9110 and RFC 5789, but for CONNECT, whose target is no resource.
const METHODS: [Method; 8] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
];

/// Refuses what is not HTTP, and ends the connection: what follows may be read differently elsewhere.
pub(super) fn refuse_head(guards: &Guards, request: &mut Request<Body>) -> Option<Response> {
    let unread = request.extensions_mut().remove::<RefusedHead>();
    let rejection = unread.or_else(|| check(request).err())?.rejection;
    tracing::info!(
        reason = rejection.reason.as_str(),
        "a request was refused by its head"
    );
    guards.account_for_head(&rejection);
    let mut answer = Problem::from(rejection).into_response();
    let close = HeaderValue::from_static("close");
    answer.headers_mut().insert(CONNECTION, close);
    Some(answer)
}

fn check<B>(request: &Request<B>) -> Result<(), RefusedHead> {
    if !METHODS.contains(request.method()) {
        return Err(RefusedHead::new(
            Reason::TransportNotImplemented,
            "the method is not one that this service knows",
        ));
    }
    check_target(request.method(), request.uri())?;
    check_host(request.version(), request.headers())?;
    let mut expected = fields::list(lines(request.headers(), EXPECT));
    if expected.all(|member| member.eq_ignore_ascii_case(b"100-continue")) {
        Ok(())
    } else {
        Err(RefusedHead::new(
            Reason::TransportExpectation,
            "the only expectation that can be met is 100-continue",
        ))
    }
}

/// RFC 9112, 3.2: a path, a whole `http` URI, or the asterisk of OPTIONS.
fn check_target(method: &Method, target: &Uri) -> Result<(), RefusedHead> {
    let is_valid = match (target.scheme_str(), target.authority()) {
        (Some("http" | "https"), Some(authority)) => {
            // RFC 9110, 4.2.4: credentials in a URI are an error.
            !authority.host().is_empty() && is_host(authority.as_str().as_bytes())
        }
        (None, None) if target.path() == "*" => method == Method::OPTIONS,
        (None, None) => target.path().starts_with('/'),
        _ => false,
    };
    is_valid.then_some(()).ok_or_else(|| {
        RefusedHead::malformed("the target of the request has to be a path, or a URI of http")
    })
}

/// RFC 9112, 3.2: one valid `Host`, also beside a target that names the host itself; only HTTP/1.0
/// may leave it out.
fn check_host(version: Version, headers: &HeaderMap) -> Result<(), RefusedHead> {
    let mut hosts = lines(headers, HOST);
    match (hosts.next(), hosts.next()) {
        (None, _) if version < Version::HTTP_11 => Ok(()),
        (None, _) => Err(RefusedHead::malformed("send a Host header field")),
        (Some(_), Some(_)) => Err(RefusedHead::malformed("send one Host header field")),
        (Some(host), None) if is_host(host) => Ok(()),
        _ => Err(RefusedHead::malformed(
            "the Host header field has to be a host, with a port or without",
        )),
    }
}

/// `uri-host [":" port]`. A host may be empty, where the target has none.
fn is_host(text: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(text) else {
        return false;
    };
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let Some((address, port)) = rest.split_once(']') else {
                return false;
            };
            if !is_ip_literal(address) {
                return false;
            }
            ("", port)
        }
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let is_port = match port.strip_prefix(':') {
        None => port.is_empty(),
        Some("") => true,
        Some(digits) => {
            digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
        }
    };
    is_port && is_registered_name(host)
}

fn is_ip_literal(text: &str) -> bool {
    let is_future = || {
        let (version, address) = text.strip_prefix(['v', 'V'])?.split_once('.')?;
        let digits = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_hexdigit());
        let rest = |byte: u8| byte == b':' || is_name_byte(byte);
        Some(digits && !address.is_empty() && address.bytes().all(rest))
    };
    text.parse::<Ipv6Addr>().is_ok() || is_future() == Some(true)
}

/// RFC 3986, 3.2.2.
fn is_registered_name(text: &str) -> bool {
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return true,
            [b'%', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                rest
            }
            [byte, rest @ ..] if is_name_byte(*byte) => rest,
            _ => return false,
        }
    }
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
        )
}

fn lines(headers: &HeaderMap, name: http::HeaderName) -> impl Iterator<Item = &[u8]> {
    let values = headers.get_all(name).into_iter();
    values.map(HeaderValue::as_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_with_a_port_or_without() {
        for host in [
            "",
            "a",
            "a:",
            "a:80",
            "shop.example:8080",
            "127.0.0.1",
            "[::1]",
            "[::1]:9090",
            "[v1.a:b]",
            "a_b~c",
            "%41.example",
            ":80",
        ] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in [
            "a b",
            "a/b",
            "a?b",
            "a#b",
            "a@b",
            "user:pass@b",
            "http://a",
            "a:b",
            "a:80:80",
            "a:-1",
            "a:+80",
            "a:65536",
            "a,b/",
            "a\\b",
            "a\"b",
            "<a>",
            "%4",
            "%zz",
            "[::1",
            "::1",
            "[::1]a",
            "[a]",
            "[1.2.3.4]",
            "[v.a]",
            "[v1.]",
            "caf\u{e9}",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
        assert!(!is_host(b"\xff"));
    }
}
