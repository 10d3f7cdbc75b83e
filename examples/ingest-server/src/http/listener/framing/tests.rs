//! Requests one after the other, however their bytes arrive.

use proptest::prelude::*;

use super::*;

const MAX: usize = 16 << 10;

/// Heads and bodies as hyper would read them, of bytes that arrive in pieces of `size`, and whether
/// a head was refused in the end.
fn cut(bytes: &[u8], size: usize) -> (Vec<String>, bool) {
    let mut framing = Framing::new(MAX);
    let mut parts = vec![];
    for piece in bytes.chunks(size) {
        framing.hold(piece);
        loop {
            if framing.expects_head() {
                match framing.next_head() {
                    Ok(Some(head)) => parts.push(String::from_utf8(head.to_vec()).unwrap()),
                    Ok(None) => break,
                    Err(_) => return (parts, true),
                }
                parts.push(String::new());
            } else if framing.holds_bytes() {
                let body = framing.held_body(3).unwrap();
                let text = String::from_utf8(body.to_vec()).unwrap();
                parts.last_mut().unwrap().push_str(&text);
            } else {
                break;
            }
        }
    }
    (parts, false)
}

#[test]
fn requests_are_cut_where_they_end() {
    let get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let sized = "POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n";
    let chunked = "POST /b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunks = "5\r\nGET /\r\n0\r\n\r\n";
    let expected = [get, "", sized, "GET / HTT", chunked, chunks, get, ""];
    let sent = format!("\r\n\n{get}{sized}GET / HTT\r\n{chunked}{chunks}{get}bad\r\n\r\n");
    for size in 1..=sent.len() {
        let (parts, is_refused) = cut(sent.as_bytes(), size);
        assert_eq!(parts, expected, "by {size}");
        assert!(is_refused, "by {size}");
    }
}

#[test]
fn bytes_of_the_stream_itself_are_cut_too() {
    let mut framing = Framing::new(MAX);
    framing.hold(b"POST /a HTTP/1.1\r\ncontent-length: 5\r\n\r\nab");
    framing.next_head().unwrap().unwrap();
    assert_eq!(framing.held_body(100).unwrap(), "ab");
    assert!(!framing.has_part_of_head());
    assert_eq!(framing.body(b"cdeGET").unwrap(), 3);
    framing.hold(b"GET");
    assert!(framing.has_part_of_head());
}

#[test]
fn empty_lines_are_no_part_of_a_head() {
    let mut framing = Framing::new(MAX);
    for piece in [b"\r".as_slice(), b"\n", b"\n\r\n", b"\r"] {
        framing.hold(piece);
        assert_eq!(framing.next_head().unwrap(), None);
        assert!(!framing.has_part_of_head(), "{piece:?}");
    }
    framing.hold(b"x");
    assert!(framing.next_head().is_err());
}

proptest! {
    /// Where its bytes are split changes nothing of what a head means.
    #[test]
    fn a_verdict_does_not_depend_on_the_pieces(
        text in "(GET|POST| )? ?(/[a-z]{0,3}|\\*) HTTP/1\\.[012](\r\n|\n|\r)((a|content-length|transfer-encoding|host):( |\t)?(1|2|chunked|\r)(\r\n|\n|\r)){0,4}(\r\n|\n)?[a-z0-9\r\n]{0,8}",
        size in 1_usize..40,
    ) {
        // The end of a line is where a fault is looked for.
        let text = text + "\n\n";
        let whole = cut_all(text.as_bytes(), text.len());
        let split = cut_all(text.as_bytes(), size);
        prop_assert_eq!(whole, split);
    }
}

/// Like [`cut`], of bodies too that are malformed.
fn cut_all(bytes: &[u8], size: usize) -> (Vec<Bytes>, &'static str) {
    let mut framing = Framing::new(MAX);
    let mut heads = vec![];
    for piece in bytes.chunks(size) {
        framing.hold(piece);
        loop {
            if framing.expects_head() {
                match framing.next_head() {
                    Ok(Some(head)) => heads.push(head),
                    Ok(None) => break,
                    Err(_) => return (heads, "refused"),
                }
            } else if framing.holds_bytes() {
                if framing.held_body(100).is_err() {
                    return (heads, "malformed");
                }
            } else {
                break;
            }
        }
    }
    (heads, "open")
}
