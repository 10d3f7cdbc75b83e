//! Heads that are read, and what is wrong with the others.

use super::*;

const MAX: usize = 16 << 10;

fn reason(text: &[u8]) -> Option<Reason> {
    let read = read(text, MAX);
    read.err().map(|refused| refused.rejection.reason)
}

fn body(fields: &str) -> Result<BodyLength, Reason> {
    let head = format!("POST / HTTP/1.1\r\nhost: a\r\n{fields}\r\n");
    let read = read(head.as_bytes(), MAX);
    let read = read.map_err(|refused| refused.rejection.reason)?.unwrap();
    assert_eq!(read.length, head.len());
    Ok(read.body)
}

#[test]
fn the_end_of_a_body_is_known_or_the_request_refused() {
    use BodyLength::{Chunked, Sized};
    let (malformed, unknown) = (
        Err(Reason::TransportMalformed),
        Err(Reason::TransportNotImplemented),
    );
    for (fields, expected) in [
        ("", Ok(Sized(0))),
        ("content-length: 7\r\n", Ok(Sized(7))),
        ("Content-Length: 007\r\n", Ok(Sized(7))),
        ("content-length: 7\r\nContent-Length: 7\r\n", Ok(Sized(7))),
        ("content-length: 7\r\ncontent-length: 8\r\n", malformed),
        ("content-length: 7, 7\r\n", malformed),
        ("content-length: 7, 8\r\n", malformed),
        ("content-length: -7\r\n", malformed),
        ("content-length: +7\r\n", malformed),
        ("content-length: 0x7\r\n", malformed),
        ("content-length: 7.0\r\n", malformed),
        ("content-length:\r\n", malformed),
        (
            "content-length: 18446744073709551616\r\n",
            Err(Reason::TransportTooLarge),
        ),
        ("transfer-encoding: chunked\r\n", Ok(Chunked)),
        ("Transfer-Encoding:  Chunked \r\n", Ok(Chunked)),
        ("transfer-encoding: gzip, chunked\r\n", unknown),
        ("transfer-encoding: identity, chunked\r\n", unknown),
        ("transfer-encoding: x-new;a=\"b,c\", chunked\r\n", unknown),
        (
            "transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n",
            unknown,
        ),
        ("transfer-encoding: gzip\r\n", malformed),
        ("transfer-encoding: identity\r\n", malformed),
        ("transfer-encoding: x-new\r\n", malformed),
        ("transfer-encoding:\r\n", malformed),
        ("transfer-encoding: chunked,\r\n", malformed),
        ("transfer-encoding: chunked, gzip\r\n", malformed),
        ("transfer-encoding: chunked, chunked\r\n", malformed),
        ("transfer-encoding: gzip, chunked, chunked\r\n", malformed),
        (
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
            malformed,
        ),
        ("transfer-encoding: chunked;q=1\r\n", malformed),
        ("transfer-encoding: \"chunked\"\r\n", malformed),
        ("transfer-encoding: xchunked\r\n", malformed),
        (
            "transfer-encoding: chunked\r\ncontent-length: 7\r\n",
            malformed,
        ),
        (
            "content-length: 7\r\ntransfer-encoding: chunked\r\n",
            malformed,
        ),
        (
            "content-length: 7\r\ntransfer-encoding: gzip, chunked\r\n",
            malformed,
        ),
    ] {
        assert_eq!(body(fields), expected, "{fields}");
    }
    let old = b"POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n";
    assert_eq!(reason(old), Some(Reason::TransportMalformed));
}

#[test]
fn a_head_that_is_not_whole_is_waited_for() {
    let head = b"POST /a?b HTTP/1.1\r\nhost: a\r\ncontent-length: 7\r\n\r\n";
    for end in 0..head.len() {
        assert_eq!(read(&head[..end], MAX).unwrap(), None, "{end}");
    }
    assert!(read(head, MAX).unwrap().is_some());
}

#[test]
fn each_fault_has_its_reason() {
    let malformed = Reason::TransportMalformed;
    for (head, expected) in [
        ("hello\r\n\r\n", malformed),
        ("\u{16}\u{3}\u{1}\u{2}", malformed),
        ("GET\r\n\r\n", malformed),
        ("GET /\r\n\r\n", malformed),
        ("GET  / HTTP/1.1\r\n\r\n", malformed),
        ("GET / x HTTP/1.1\r\n\r\n", malformed),
        ("GET /a#b HTTP/1.1\r\n\r\n", malformed),
        ("GET / HTTP/x\r\n\r\n", malformed),
        ("GET / HTTP/11\r\n\r\n", malformed),
        ("GET / http/1.1\r\n\r\n", malformed),
        ("G@T / HTTP/1.1\r\n\r\n", malformed),
        ("GET / HTTP/0.9\r\n\r\n", Reason::TransportVersion),
        ("GET / HTTP/1.2\r\n\r\n", Reason::TransportVersion),
        ("GET / HTTP/2.0\r\n\r\n", Reason::TransportVersion),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Reason::TransportVersion),
        ("GET / HTTP/1.1\r\n host: a\r\n\r\n", malformed),
        ("GET / HTTP/1.1\r\nhost : a\r\n\r\n", malformed),
        ("GET / HTTP/1.1\r\nhost\r\n\r\n", malformed),
        ("GET / HTTP/1.1\r\n: a\r\n\r\n", malformed),
        ("GET / HTTP/1.1\r\nh(st: a\r\n\r\n", malformed),
        ("GET / HTTP/1.1\r\na: b\r\n c\r\n\r\n", malformed),
        ("GET / HTTP/1.1\r\na: b\u{0}\r\n\r\n", malformed),
        ("GET / HTTP/1.1\r\na: b\u{7f}\r\n\r\n", malformed),
        ("GET / HTTP/1.1\r\na: b\rc\r\n\r\n", malformed),
        ("GET / HTTP/1.1\rhost: a\r\n\r\n", malformed),
        ("GET / HTTP/1.1\r\nhost: a\r\n\rx", malformed),
    ] {
        assert_eq!(reason(head.as_bytes()), Some(expected), "{head:?}");
    }
}

#[test]
fn lengths_are_bounded_whole_or_not() {
    let target = |bytes: usize| format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(bytes - 1));
    assert_eq!(reason(target(MAX_TARGET).as_bytes()), None);
    let too_long = Some(Reason::TransportTargetTooLong);
    assert_eq!(reason(target(MAX_TARGET + 1).as_bytes()), too_long);
    assert_eq!(reason(target(MAX * 2).as_bytes()), too_long);
    let endless = format!("GET /{}", "a".repeat(MAX_TARGET));
    assert_eq!(reason(endless.as_bytes()), too_long);

    let method = format!("{} / HTTP/1.1\r\n\r\n", "A".repeat(MAX_METHOD));
    assert_eq!(reason(method.as_bytes()), None);
    let endless = "A".repeat(MAX_METHOD + 1);
    assert_eq!(
        reason(endless.as_bytes()),
        Some(Reason::TransportNotImplemented)
    );

    let fields = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(count));
    assert_eq!(reason(fields(MAX_FIELDS).as_bytes()), None);
    let too_large = Some(Reason::TransportHeadTooLarge);
    assert_eq!(reason(fields(MAX_FIELDS + 1).as_bytes()), too_large);
    let field = |bytes: usize| {
        let head = "GET / HTTP/1.1\r\na: \r\n\r\n";
        head.replace("a: ", &format!("a: {}", "b".repeat(bytes - head.len())))
    };
    assert_eq!(reason(field(MAX).as_bytes()), None);
    assert_eq!(reason(field(MAX + 1).as_bytes()), too_large);
    let endless = &field(MAX + 1).into_bytes()[..MAX];
    assert_eq!(reason(endless), too_large);
}

#[test]
fn what_can_be_read_of_a_refused_head_is_known() {
    let line = |text: &str| read(text.as_bytes(), MAX).unwrap_err().request_line;
    let read = line("PUT /a?b HTTP/1.1\r\nbad field: c\r\n\r\n").unwrap();
    assert_eq!(*read, (Method::PUT, Uri::from_static("/a?b")));
    assert_eq!(line("PUT\r\n\r\n"), None);
}
