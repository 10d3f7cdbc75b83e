//! Searches, without a store.

use super::*;
use crate::event::Timestamp;

#[test]
fn a_cursor_is_read_back_for_its_filter_alone() {
    let filter = Filter::new()
        .with(TermKind::Tenant, "tenant-7")
        .expect("an id");
    let text = SearchCursor::new(258, &filter).to_string();
    let read = SearchCursor::parse(&text, &filter);
    assert_eq!(read.map(|cursor| cursor.before()), Ok(258));
    let others = [
        Filter::new(),
        filter
            .clone()
            .with(TermKind::Outcome, "denied")
            .expect("a word"),
        Filter::new()
            .with(TermKind::Actor, "tenant-7")
            .expect("an id"),
        filter.clone().from(Timestamp::MAX),
        filter.clone().to(Timestamp::MAX),
    ];
    for other in others {
        let read = SearchCursor::parse(&text, &other);
        assert_eq!(read, Err(InvalidCursor::OtherFilter));
    }
}

#[test]
fn a_filter_is_one_whatever_order_it_was_put_together_in() {
    let both = |terms: [(TermKind, &str); 2]| {
        terms
            .into_iter()
            .fold(Filter::new(), |filter, (kind, value)| {
                filter.with(kind, value).expect("valid")
            })
    };
    let terms = [
        (TermKind::Tenant, "tenant-7"),
        (TermKind::Action, "lead.read"),
    ];
    let [first, second] = terms;
    assert_eq!(both([first, second]), both([second, first]));
    assert_eq!(both([first, first]).terms().len(), 1);
}

#[test]
fn what_is_no_cursor_is_refused() {
    let filter = Filter::new();
    let text = SearchCursor::new(1, &filter).to_string();
    for wrong in [
        "",
        "x",
        &text[1..],
        &format!("{text}A"),
        &format!("{text}=="),
        "*",
    ] {
        let read = SearchCursor::parse(wrong, &filter);
        assert_eq!(read, Err(InvalidCursor::Malformed), "{wrong}");
    }
}

#[test]
fn a_value_that_no_leaf_can_have_is_named() {
    for (kind, value) in [
        (TermKind::Tenant, "a b"),
        (TermKind::Actor, ""),
        (TermKind::Action, "Lead.Read"),
        (TermKind::Field, "lead email"),
        (TermKind::Resource, "00491701234"),
        (TermKind::Outcome, "done"),
    ] {
        let refused = Filter::new().with(kind, value);
        assert_eq!(refused, Err(InvalidFilter { kind }));
    }
}

#[test]
fn a_page_has_1_to_500_events_and_50_if_nobody_says() {
    assert_eq!(PageSize::default().events(), 50);
    assert_eq!(PageSize::new(500).map(PageSize::events), Some(500));
    assert_eq!([0, 501].map(PageSize::new), [None, None]);
}
