//! The token of `Authorization: Bearer …`.

use http::{HeaderMap, header::AUTHORIZATION};

use crate::fields;

/// The token; none where there is none, or where two differ: another server might take the other.
pub(super) fn bearer_token(headers: &HeaderMap) -> Option<&[u8]> {
    let lines = headers.get_all(AUTHORIZATION).iter();
    let mut tokens = lines.filter_map(|line| fields::credential(line.as_bytes(), "Bearer"));
    let token = tokens.next()?;
    tokens.all(|other| other == token).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_token_is_found_in_any_number_of_lines() {
        for (lines, expected) in [
            (vec![], None),
            (vec!["Bearer t"], Some("t")),
            (vec!["bearer  t"], Some("t")),
            (vec!["Basic dTpw", "BEARER t"], Some("t")),
            (vec!["Bearer t", "bearer t"], Some("t")),
            (vec!["Bearer t", "Bearer u"], None),
            (vec!["Bearer"], None),
            (vec!["t"], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in &lines {
                headers.append(AUTHORIZATION, line.parse().unwrap());
            }
            let token = bearer_token(&headers);
            assert_eq!(token, expected.map(str::as_bytes), "{lines:?}");
        }
    }
}
