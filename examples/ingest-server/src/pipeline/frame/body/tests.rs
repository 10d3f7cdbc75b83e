//! Packed bodies, whole or not.

use std::{convert::Infallible, io::Write as _};

use axum::body::Body;
use flate2::{Compression, write::GzEncoder};
use futures_util::stream;

use super::*;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn unpack(packed: &[u8]) -> Result<Bytes, Rejection> {
    Unpacking::new(packed).all()
}

fn reason(packed: &[u8]) -> Option<Reason> {
    unpack(packed).err().map(|rejection| rejection.reason)
}

#[test]
fn a_text_split_over_members_is_read_whole() {
    for parts in [
        vec!["{}"],
        vec!["{\"a\":", "1}"],
        vec!["", "{", "", "}", ""],
        vec!["[1]", "[2]"],
        vec![" "; MAX_MEMBERS],
    ] {
        let packed: Vec<u8> = parts
            .iter()
            .flat_map(|part| gzip(part.as_bytes()))
            .collect();
        assert_eq!(unpack(&packed).unwrap(), parts.concat());
    }
}

#[test]
fn nothing_but_members_follows_a_member() {
    for rest in [
        b"\0".as_slice(),
        b"\n",
        b"{}",
        &[0; 512],
        &gzip(b"{}")[..9],
        b"\x1f\x8b",
    ] {
        let packed = [gzip(b"{}"), rest.to_vec()].concat();
        assert_eq!(
            reason(&packed),
            Some(Reason::TransportCompression),
            "{rest:?}"
        );
    }
}

#[test]
fn a_member_that_is_damaged_anywhere_is_refused() {
    let packed = [gzip(b"{\"a\":1}"), gzip(b"   ")].concat();
    for cut in (0..packed.len()).filter(|cut| *cut != gzip(b"{\"a\":1}").len()) {
        assert_eq!(
            reason(&packed[..cut]),
            Some(Reason::TransportCompression),
            "{cut}"
        );
    }
    // Its check sum, which comes before its length.
    let mut damaged = packed;
    let at = damaged.len() - 8;
    damaged[at] ^= 1;
    assert_eq!(reason(&damaged), Some(Reason::TransportCompression));
}

#[test]
fn bytes_and_members_are_bounded() {
    let half = gzip(&vec![b' '; MAX_BYTES / 2]);
    assert_eq!(unpack(&half.repeat(2)).unwrap().len(), MAX_BYTES);
    let more = [half.repeat(2), gzip(b" ")].concat();
    assert_eq!(reason(&more), Some(Reason::TransportTooLarge));
    assert_eq!(reason(&half.repeat(500)), Some(Reason::TransportTooLarge));
    let many = gzip(b"").repeat(MAX_MEMBERS + 1);
    assert_eq!(reason(&many), Some(Reason::TransportCompression));
}

#[test]
fn no_more_is_unpacked_than_was_asked_for_and_it_goes_on_from_there() {
    let text: Vec<u8> = (0..=u8::MAX).cycle().take(100_000).collect();
    let packed = [gzip(&text[..30_000]), gzip(&text[30_000..])].concat();
    let mut unpacking = Unpacking::new(&packed);
    for bytes in [0, 1, 1, 29_999, 30_000, 60_000, 59_000, 99_999] {
        let unpacked = unpacking.up_to(bytes);
        assert!(
            matches!(unpacked, Unpacked::HasMore),
            "{bytes}: {unpacked:?}"
        );
        assert!(unpacking.bytes() <= bytes.max(60_000) + 1, "{bytes}");
    }
    assert_eq!(unpacking.bytes(), 100_000);
    let Unpacked::Whole(whole) = unpacking.up_to(100_000) else {
        panic!("there are 100,000 bytes")
    };
    assert_eq!(whole, text);
    // What comes before a fault counts.
    let mut unpacking = Unpacking::new(&packed[..packed.len() - 1]);
    assert!(matches!(unpacking.up_to(MAX_BYTES), Unpacked::Failed(_)));
    assert_eq!(unpacking.bytes(), 100_000);
}

#[tokio::test(start_paused = true)]
async fn a_length_that_is_never_taken_in_is_refused_before_the_body_comes() {
    for (announced, reason) in [
        (MAX_DISCARDED + 1, Reason::TransportTooLarge),
        // This much may still come, and is waited for.
        (MAX_DISCARDED, Reason::TransportTimeout),
    ] {
        let headers = HeaderMap::from_iter([(CONTENT_LENGTH, announced.into())]);
        let never = stream::pending::<Result<Bytes, Infallible>>();
        let received = receive(&headers, Body::from_stream(never)).await;
        let rejection = received.body.unwrap_err();
        assert_eq!(rejection.reason, reason, "{announced}");
    }
}
