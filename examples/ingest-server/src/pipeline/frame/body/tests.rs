//! Packed bodies, whole or not.

use std::{convert::Infallible, io::Write as _};

use axum::body::Body;
use flate2::{Compression, write::GzEncoder};
use futures_util::{StreamExt as _, stream};

use super::*;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn unpack(packed: &[u8]) -> Result<Bytes, Rejection> {
    let mut allowance = BodyAllowance::of_operator(4 * MAX_BYTES).unwrap();
    Unpacking::new(packed).all(&mut allowance)
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

#[tokio::test(start_paused = true)]
async fn a_length_that_is_never_taken_in_is_refused_before_the_body_comes() {
    for (announced, reason) in [
        (MAX_BYTES + 1, Reason::TransportTooLarge),
        (usize::MAX, Reason::TransportTooLarge),
        // This much may still come, and is waited for.
        (MAX_BYTES, Reason::TransportTimeout),
    ] {
        let headers = HeaderMap::from_iter([(CONTENT_LENGTH, announced.into())]);
        let never = stream::pending::<Result<Bytes, Infallible>>();
        let mut allowance = BodyAllowance::of_operator(MAX_BYTES).unwrap();
        let received = receive(&headers, Body::from_stream(never), &mut allowance).await;
        let rejection = received.body.unwrap_err();
        assert_eq!(rejection.reason, reason, "{announced}");
    }
}

#[tokio::test]
async fn a_body_without_a_length_is_refused_at_the_first_byte_too_many() {
    let part = Bytes::from(vec![b' '; MAX_BYTES / 4]);
    for (parts, is_read) in [(4, true), (5, false)] {
        let parts = vec![Ok::<_, Infallible>(part.clone()); parts];
        let endless = stream::iter(parts).chain(stream::pending());
        let whole = stream::iter(vec![Ok::<_, Infallible>(part.clone()); 4]);
        let body = if is_read {
            Body::from_stream(whole)
        } else {
            Body::from_stream(endless)
        };
        let mut allowance = BodyAllowance::of_operator(2 * MAX_BYTES).unwrap();
        let received = receive(&HeaderMap::new(), body, &mut allowance).await;
        assert_eq!(received.body.is_ok(), is_read);
    }
}

#[test]
fn codings_are_a_list_over_all_lines_and_of_any_case() {
    for (lines, packed) in [
        (vec![], Some(false)),
        (vec![""], Some(false)),
        (vec!["identity"], Some(false)),
        (vec!["Identity, ,identity"], Some(false)),
        (vec!["gzip"], Some(true)),
        (vec!["GZip"], Some(true)),
        (vec!["x-gzip"], Some(true)),
        (vec!["X-GZIP"], Some(true)),
        (vec!["gzip, identity"], Some(true)),
        (vec!["identity", "", "gzip"], Some(true)),
        (vec![" , gzip ,"], Some(true)),
        (vec!["gzip, gzip"], None),
        (vec!["gzip", "x-gzip"], None),
        (vec!["br"], None),
        (vec!["deflate"], None),
        (vec!["gzip, br"], None),
        (vec!["br", "gzip"], None),
        (vec!["gzip;q=1"], None),
        (vec!["g zip"], None),
    ] {
        let mut headers = HeaderMap::new();
        for line in &lines {
            headers.append(CONTENT_ENCODING, line.parse().unwrap());
        }
        let found = is_packed(&headers).map_err(|rejection| rejection.reason);
        let expected = packed.ok_or(Reason::TransportEncoding);
        assert_eq!(found, expected, "{lines:?}");
    }
}
