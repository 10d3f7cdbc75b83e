//! What somebody searches the audit log for: filters and cursors, as they come in a URL.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use portcullis_audit_log::{
    event::Leaf,
    search::{Filter, InvalidCursor, SearchCursor, TermKind},
};

const KINDS: [TermKind; 6] = [
    TermKind::Tenant,
    TermKind::Actor,
    TermKind::Action,
    TermKind::Resource,
    TermKind::Field,
    TermKind::Outcome,
];
const LEAF: &[u8] = br#"{"v":1,"n":7,"tn":0,"id":"0198c0de-0000-7000-8000-000000000000","time":"2026-01-02T03:04:05.678901Z","tenant":"tenant-7","action":"lead.read","activity":"read","actor":{"type":"api_key","id":"k7Qm2ZpX"},"resources":[{"type":"lead","id":"lead-1"}],"count":1,"fields":["lead.email"],"outcome":"success","delivery":"must","node":"a"}"#;

// An input is a line for each term, the name of its kind and a value, and at last a cursor.
fuzz_target!(|input: &[u8]| -> Corpus {
    let Ok(text) = str::from_utf8(input) else {
        return Corpus::Reject;
    };
    let (terms, cursor) = text.rsplit_once('\n').unwrap_or(("", text));
    let leaf = Leaf::parse(LEAF).expect("it is one");
    let (mut filter, mut is_meant) = (Filter::new(), true);
    for (kind, value) in terms.lines().filter_map(|line| line.split_once('=')) {
        let Some(kind) = KINDS.into_iter().find(|known| known.as_str() == kind) else {
            continue;
        };
        let Ok(with) = filter.clone().with(kind, value) else {
            continue;
        };
        let mut is_there = false;
        TermKind::each_of(&leaf, |of, found| is_there |= of == kind && found == value);
        is_meant &= is_there;
        let again = with.clone().with(kind, value);
        assert_eq!(again.as_ref(), Ok(&with), "one term, one filter");
        filter = with;
    }
    assert_eq!(filter.matches(&leaf), is_meant);

    match SearchCursor::parse(cursor, &filter) {
        Ok(read) => assert_eq!(read.to_string(), cursor, "one spelling"),
        Err(InvalidCursor::OtherFilter) => assert_eq!(cursor.len(), 22),
        Err(_) => {}
    }
    // One that was given is taken, and for no other search.
    let before = input.iter().fold(0, |sum: u64, byte| {
        sum.wrapping_mul(257).wrapping_add((*byte).into())
    });
    let given = SearchCursor::new(before, &filter);
    assert_eq!(SearchCursor::parse(&given.to_string(), &filter), Ok(given));
    let other = filter.clone().with(TermKind::Tenant, "of-nobody-else");
    let other = other.expect("it has the form of an id");
    if other != filter {
        let refused = SearchCursor::parse(&given.to_string(), &other);
        assert_eq!(refused, Err(InvalidCursor::OtherFilter));
    }
    Corpus::Keep
});
