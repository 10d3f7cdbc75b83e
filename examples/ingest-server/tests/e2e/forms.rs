//! Looks for a value in every form in which it could lie in a file or a stream.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

/// Every form in which a value could lie in a file: as it is, in hexadecimal, URL-encoded, as a list of numbers, and
/// in base64 at each of the three alignments.
pub(crate) fn forms(value: &str) -> Vec<Vec<u8>> {
    let numbers: Vec<String> = value.bytes().map(|byte| byte.to_string()).collect();
    let url: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let reserved = value.replace('@', "%40").replace('+', "%2B");
    let mut forms = vec![
        value.to_owned(),
        hex::encode(value),
        hex::encode_upper(value),
        url.to_lowercase(),
        url,
        reserved.to_lowercase(),
        reserved,
        numbers.join(","),
        numbers.join(", "),
    ];
    for lead in 0..3 {
        let padded = [vec![0; lead], value.as_bytes().to_vec()].concat();
        let encoded = STANDARD_NO_PAD.encode(padded);
        // The characters at the ends depend on the neighbours.
        let inner = encoded[(lead * 4).div_ceil(3)..encoded.len() - 1].to_owned();
        forms.push(inner.replace('+', "-").replace('/', "_"));
        forms.push(inner);
    }
    forms.into_iter().map(String::into_bytes).collect()
}

/// The form in which `value` is in `haystack`, if it is.
pub(crate) fn find(haystack: &[u8], value: &str) -> Option<Vec<u8>> {
    forms(value).into_iter().find(|form| {
        haystack
            .windows(form.len())
            .any(|window| window == form.as_slice())
    })
}

const VALUE: &str = "canary.q7x@sealed-mail.example";

#[test]
fn the_search_finds_each_form() {
    for (at, form) in forms(VALUE).into_iter().enumerate() {
        let text = [b"before ".as_slice(), &form, b" after"].concat();
        assert!(find(&text, VALUE).is_some(), "form {at}");
    }
    for lead in 0..3 {
        let text = STANDARD_NO_PAD.encode(format!("{}{VALUE} and more", "x".repeat(lead)));
        assert!(find(text.as_bytes(), VALUE).is_some(), "alignment {lead}");
    }
}
