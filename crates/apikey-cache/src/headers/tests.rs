//! Where a key is found, and where it is not.

use http::{HeaderName, header::AUTHORIZATION};

use super::*;

const KEY: &str =
    "pcl_live_0123456789AB08HB5DldTJ_zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJ1VMFKK";

const X_API_KEY: HeaderName = HeaderName::from_static(API_KEY);

fn read(headers: &[(HeaderName, &str)]) -> Result<(), CredentialError> {
    let values = headers
        .iter()
        .map(|(name, value)| (name.clone(), value.parse().unwrap()));
    ApiKey::from_headers(&values.collect()).map(|key| assert_eq!(key.hazmat_expose(), KEY))
}

#[test]
fn a_key_is_found_in_either_header() {
    assert_eq!(read(&[(X_API_KEY, KEY)]), Ok(()));
    for scheme in ["Bearer ", "bearer ", "BEARER   "] {
        assert_eq!(read(&[(AUTHORIZATION, &format!("{scheme}{KEY}"))]), Ok(()));
    }
}

#[test]
fn another_scheme_is_left_to_others() {
    let basic = (AUTHORIZATION, "Basic dXNlcjpwYXNz");
    assert_eq!(read(&[(X_API_KEY, KEY), basic.clone()]), Ok(()));
    assert_eq!(read(&[basic]), Err(CredentialError::Missing));
    assert_eq!(read(&[(AUTHORIZATION, KEY)]), Err(CredentialError::Missing));
    assert_eq!(read(&[]), Err(CredentialError::Missing));
}

#[test]
fn one_key_may_stand_there_twice_and_two_may_not() {
    let bearer = format!("bearer  {KEY}");
    let other = format!("{KEY}x");
    let other_bearer = format!("Bearer {other}");
    for (headers, expected) in [
        ([(X_API_KEY, KEY), (AUTHORIZATION, bearer.as_str())], Ok(())),
        ([(X_API_KEY, KEY), (X_API_KEY, KEY)], Ok(())),
        ([(AUTHORIZATION, &bearer), (AUTHORIZATION, &bearer)], Ok(())),
        (
            [(X_API_KEY, &other), (AUTHORIZATION, &bearer)],
            Err(CredentialError::Ambiguous),
        ),
        (
            [(X_API_KEY, KEY), (AUTHORIZATION, &other_bearer)],
            Err(CredentialError::Ambiguous),
        ),
        (
            [(X_API_KEY, KEY), (X_API_KEY, "")],
            Err(CredentialError::Ambiguous),
        ),
        (
            [(AUTHORIZATION, &bearer), (AUTHORIZATION, &other_bearer)],
            Err(CredentialError::Ambiguous),
        ),
    ] {
        let mut map = HeaderMap::new();
        for (name, value) in &headers {
            map.append(name, value.parse().unwrap());
        }
        assert_eq!(
            ApiKey::from_headers(&map).map(drop),
            expected,
            "{headers:?}"
        );
    }
}

#[test]
fn what_cannot_be_a_key_is_refused_without_showing_it() {
    for value in ["", "Bearer", "hunter2", &format!("{KEY}x"), "caf\u{e9}"] {
        let refused = read(&[(X_API_KEY, value)]).unwrap_err();
        assert!(matches!(refused, CredentialError::Malformed(_)));
        assert!(!refused.to_string().contains("hunter2"));
    }
}
