//! The bounds of a grace.

use super::*;

fn scopes() -> Scopes {
    "leads:read".parse().unwrap()
}

#[test]
fn a_minute_is_the_longest_grace() {
    let longest =
        |asked| Grace::new(scopes(), Duration::from_secs(asked)).map(|grace| grace.longest);
    assert_eq!(longest(59), Some(Duration::from_secs(59)));
    assert_eq!(longest(3_600), Some(Duration::from_secs(60)));
    assert_eq!(longest(0), None);
    assert!(Grace::new(Scopes::default(), Duration::from_secs(1)).is_none());
}

#[test]
fn of_a_store_that_nobody_has_asked_lately_nothing_is_known() {
    let grace = Grace::new(scopes(), Duration::from_secs(1)).unwrap();
    let at = |millis: u64| 1_000_000 * (1_000 + millis);
    assert!(!grace.spares_store(at(0)));
    grace.note_store(Reachable::No, at(0));
    assert!(grace.spares_store(at(499)));
    assert!(!grace.spares_store(at(500)), "one asks");
    assert!(grace.spares_store(at(500)), "and no other");
    assert!(!grace.spares_store(at(1_500)));
    assert!(!grace.spares_store(at(1_500)), "all ask");
    grace.note_store(Reachable::No, at(1_600));
    grace.note_store(Reachable::Yes, at(1_700));
    assert!(!grace.spares_store(at(1_701)));
}
