//! What differs from a leaf by a little, and is none.

use super::{FIRST, leaf_of, least, stamp};
use crate::event::{Code, Id, Leaf, MAX_LEAF_BYTES, Reason};

fn leaf() -> String {
    let reference = Some(Id::constant("T-1042"));
    let event = least().reason(Reason::new(Code::new("support"), reference));
    String::from_utf8(leaf_of(&event.build(stamp()).unwrap(), FIRST)).unwrap()
}

/// The leaf with `to` in the place of `from`, refused `at` bytes behind its begin.
fn refused(from: &str, to: &str, at: usize) {
    let leaf = leaf();
    let changed = leaf.replacen(from, to, 1);
    assert_ne!(changed, leaf, "{from}");
    let error = Leaf::parse(changed.as_bytes()).expect_err(to);
    assert_eq!(error.at, leaf.find(from).unwrap() + at, "{to}: {error}");
}

#[test]
fn what_has_another_spelling_is_refused_where_it_stands() {
    refused("{\"v\":1", "{\"v\":2", 0);
    refused("{\"v\"", " {\"v\"", 0);
    refused("\"n\":0", "\"n\":00", 4);
    refused("\"n\":0", "\"n\":01", 4);
    refused("\"n\":0", "\"n\":-1", 4);
    refused("\"n\":0", "\"n\":18446744073709551616", 4);
    refused("\"count\":0", "\"count\":0.0", 9);
    refused("\"tenant\":\"system", "\"tenant\":\"", 10);
    refused("\"tenant\":\"system", "\"tenant\":\"1234567", 10);
    refused("\"tenant\":\"system", "\"tenant\":\"s\\u0079", 10);
    refused("\"action\":\"log.heartbeat", "\"action\":\"Log", 10);
    refused("\"activity\":\"other", "\"activity\":\"others", 12);
    refused("\"fields\":[]", "\"fields\":[\"a\",]", 14);
    refused(",\"fields\":[]", ",\"fields\":null", 0);
    refused("\"code\":\"support", "\"code\":\"", 8);
    refused(",\"ref\":\"T-1042\"", ",\"ref\":null", 0);
    refused("\"outcome\":\"success\"", "\"outcome\":\"denied\"", 18);
    refused(
        ",\"delivery\":\"best\"",
        ",\"detail\":\"a\",\"delivery\":\"best\"",
        0,
    );
    refused(",\"node\"", ",\"refs\":[],\"node\"", 10);
    refused(",\"node\"", ",\"trace\":null,\"node\"", 0);
    refused(",\"node\"", ",\"span\":\"0000000000000000\",\"node\"", 9);
}

#[test]
fn nothing_follows_a_leaf() {
    let leaf = leaf();
    for more in ["x", "\n", "\u{e9}", "}", " "] {
        let error = Leaf::parse(format!("{leaf}{more}").as_bytes()).unwrap_err();
        assert_eq!(error.at, leaf.len(), "{error}");
    }
    let longest = format!("{leaf}{}", " ".repeat(MAX_LEAF_BYTES));
    assert_eq!(Leaf::parse(longest.as_bytes()).unwrap_err().at, leaf.len());
}

#[test]
fn a_leaf_of_more_than_128_resources_is_none() {
    let with = |count: usize| {
        let list = vec!["{\"type\":\"lead\",\"id\":\"l-1\"}"; count].join(",");
        let leaf = leaf().replace("\"resources\":[]", &format!("\"resources\":[{list}]"));
        Leaf::parse(leaf.as_bytes()).map(|leaf| leaf.resources().count())
    };
    assert_eq!(with(128), Ok(128));
    assert!(with(129).is_err());
}
