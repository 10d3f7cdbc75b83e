//! What passes of baggage.

use super::*;

fn headers(lines: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(BAGGAGE, line.parse().unwrap());
    }
    headers
}

fn passed(keys: &BaggageKeys, lines: &[&str]) -> Option<String> {
    let mut headers = headers(lines);
    keys.put_into(&mut headers);
    assert!(headers.get_all(BAGGAGE).iter().count() <= 1);
    let line = headers.get(BAGGAGE)?;
    Some(line.to_str().unwrap().to_owned())
}

#[test]
fn nothing_passes_that_is_not_on_the_list() {
    assert_eq!(passed(&BaggageKeys::default(), &["tier=gold"]), None);
    let keys = BaggageKeys::allow(["tier"]);
    for (lines, expected) in [
        (&["tier=gold"][..], Some("tier=gold")),
        (&["user=bob, tier=gold;origin=1 ,x=y"], Some("tier=gold")),
        (&["user=bob", "tier=gold"], Some("tier=gold")),
        (&["tier=gold,tier=lead"], Some("tier=lead")),
        (&["tier=a%20b%C3%BC%2C"], Some("tier=a%20b%C3%BC%2C")),
        (&["Tier=gold"], None),
        (&["tier"], None),
        (&["tier=%zz"], None),
        (&["tier=%ff"], None),
        (&["tier=a%0d%0ab"], None),
        (&[""], None),
        (&[], None),
    ] {
        assert_eq!(passed(&keys, lines).as_deref(), expected, "{lines:?}");
    }
}

#[test]
fn a_header_beyond_the_bounds_passes_nothing() {
    let keys = BaggageKeys::allow(["tier"]);
    let many = format!("tier=gold{}", ",a=b".repeat(MAX_MEMBERS - 1));
    assert!(passed(&keys, &[&many]).is_some());
    assert_eq!(passed(&keys, &[&format!("{many},a=b")]), None);
    let long = |bytes: usize| format!("tier={}", "x".repeat(bytes - "tier=".len()));
    assert!(passed(&keys, &[&long(MAX_BYTES)]).is_some());
    assert_eq!(passed(&keys, &[&long(MAX_BYTES + 1)]), None);
    // As text it fits, encoded it does not.
    let wide = format!("tier={}", "ü".repeat(2_000));
    let mut headers = HeaderMap::new();
    headers.insert(BAGGAGE, HeaderValue::from_bytes(wide.as_bytes()).unwrap());
    keys.put_into(&mut headers);
    assert!(headers.is_empty());
}

#[test]
fn the_context_has_the_last_word_and_the_same_list() {
    let keys = BaggageKeys::allow(["tier", "region"]);
    let context = Context::current().with_baggage([
        KeyValue::new("tier", "lead"),
        KeyValue::new("user", "bob@example.com"),
    ]);
    let _attached = context.attach();
    let line = passed(&keys, &["tier=gold,region=eu,user=bob"]);
    assert_eq!(line.as_deref(), Some("region=eu,tier=lead"));
    assert_eq!(passed(&BaggageKeys::default(), &["tier=gold"]), None);
}

#[test]
fn a_request_without_allowed_members_makes_no_context() {
    let keys = BaggageKeys::allow(["tier"]);
    assert!(keys.context(&headers(&["user=bob"])).is_none());
    let all = BaggageKeys::default();
    assert!(all.context(&headers(&["tier=gold"])).is_none());
    let context = keys.context(&headers(&["tier=gold,user=bob"])).unwrap();
    let members: Vec<_> = context
        .baggage()
        .iter()
        .map(|(key, _)| key.as_str())
        .collect();
    assert_eq!(members, ["tier"]);
}
