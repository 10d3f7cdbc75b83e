//! What is read, what is not, and where the fault is said to be.

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;

fn fault(text: impl AsRef<[u8]>) -> Option<Fault> {
    read(text.as_ref()).err().map(|error| error.fault)
}

fn nested(open: &str, inner: &str, close: &str, levels: usize) -> String {
    format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
}

#[test]
fn what_json_allows_is_read() {
    for (text, expected) in [
        (" {} \r\n\t", json!({})),
        ("[]", json!([])),
        ("null", json!(null)),
        ("[true,false]", json!([true, false])),
        (r#""""#, json!("")),
        ("\"\u{7f}\u{2028}\"", json!("\u{7f}\u{2028}")),
        (r#""\"\\\/\b\f\n\r\t""#, json!("\"\\/\u{8}\u{c}\n\r\t")),
        (
            r#""\u0000\uD834\udd1e\uffff""#,
            json!("\0\u{1d11e}\u{ffff}"),
        ),
        (r#"{"":1,"A":2,"a":3}"#, json!({ "": 1, "A": 2, "a": 3 })),
        // One letter and its two forms are two names: they are compared as they stand.
        (
            "{\"\u{e9}\":1,\"e\u{301}\":2}",
            json!({ "\u{e9}": 1, "e\u{301}": 2 }),
        ),
        (r#"[{"a":1},{"a":1}]"#, json!([{ "a": 1 }, { "a": 1 }])),
        (
            r#"{"a":{"a":{"a":1}}}"#,
            json!({ "a": { "a": { "a": 1 } } }),
        ),
    ] {
        assert_eq!(read(text.as_bytes()), Ok(expected), "{text}");
    }
}

/// Names by which `serde_json` talks to itself say nothing here.
#[test]
fn names_that_a_library_keeps_for_itself_are_names_like_others() {
    for name in [
        "$serde_json::private::RawValue",
        "$serde_json::private::Number",
    ] {
        for inner in ["[1]", "1", "not JSON", &"[".repeat(10_000)] {
            let value = json!({ name: inner });
            assert_eq!(read(value.to_string().as_bytes()), Ok(value));
        }
    }
}

#[test]
fn what_is_not_json_is_refused() {
    for text in [
        "\u{feff}{}",
        "{}\0",
        "\0",
        "{} {}",
        "[1,]",
        "{\"a\":1,}",
        "[,1]",
        "[1 2]",
        "{\"a\" 1}",
        "{a:1}",
        "{'a':1}",
        "{1:1}",
        "01",
        "+1",
        "-",
        "-a",
        ".5",
        "1.",
        "1.e1",
        "1e",
        "0x10",
        "1_000",
        "NaN",
        "Infinity",
        "-Infinity",
        "nul",
        "TRUE",
        "tru\u{e9}",
        "// c\n1",
        "/**/1",
        "\u{a0}1",
        "\u{c}1",
        "'a'",
        "\"a",
        "\"\n\"",
        "\"\t\"",
        "\"\0\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud800\\ud800\"",
        "]",
        "}",
        "[}",
        "{]",
        "[1}",
        "",
        " ",
    ] {
        let found = fault(text);
        let expected = [Some(Fault::Broken), Some(Fault::EndsEarly)];
        assert!(expected.contains(&found), "{text:?}: {found:?}");
    }
    for text in [
        b"\"\xff\"".as_slice(),
        b"\"\xed\xa0\x80\"",
        b"\"\xc0\xaf\"",
        b"\xff\xfe[\0]\0",
        b"[1]\x80",
    ] {
        assert_eq!(fault(text), Some(Fault::NotUtf8), "{text:?}");
    }
}

#[test]
fn a_name_stands_once_in_an_object() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":2,"a":3}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"\u0061":1,"a":2}"#,
        "{\"\u{1d11e}\":1,\"\\ud834\\uDD1E\":2}",
        r#"{"\/":1,"/":2}"#,
        r#"{"":1,"":2}"#,
        r#"{"a":{},"a":{}}"#,
        r#"[[{"x":[{"a":null,"a":null}]}]]"#,
        r#"{"\u0000":1,"\u0000":2}"#,
    ] {
        assert_eq!(fault(text), Some(Fault::RepeatedName), "{text}");
    }
}

#[test]
fn what_cannot_be_kept_exactly_is_refused_wherever_it_stands() {
    for text in [
        "1e400",
        "[1,18446744073709551616]",
        r#"{"a":[{"b":0.10000000000000001}]}"#,
    ] {
        assert_eq!(fault(text), Some(Fault::InexactNumber), "{text}");
    }
}

#[test]
fn depth_is_bounded_however_it_comes_about() {
    for (open, inner, close, most) in [
        ("[", "", "]", 32),
        ("{\"a\":", "1", "}", 32),
        ("[{\"a\":", "[]", "}]", 15),
        ("{\"a\":[", "1", "]}", 16),
    ] {
        assert_eq!(fault(nested(open, inner, close, most)), None, "{open}");
        assert_eq!(fault(open.repeat(most)), Some(Fault::EndsEarly), "{open}");
        for levels in [most + 2, 48, 200, 100_000] {
            let closed = nested(open, inner, close, levels);
            assert_eq!(fault(closed), Some(Fault::TooDeep), "{open} {levels}");
            let unclosed = open.repeat(levels);
            assert_eq!(fault(unclosed), Some(Fault::TooDeep), "{open} {levels}");
        }
    }
    assert_eq!(fault(nested("[", "", "]", 33)), Some(Fault::TooDeep));
    // Brackets that stand beside each other, or in text, are in nothing.
    assert_eq!(fault(format!("[{}[]]", "[],".repeat(10_000))), None);
    assert_eq!(fault(json!("[{".repeat(10_000)).to_string()), None);
}

#[test]
fn a_fault_has_a_place_and_repeats_nothing() {
    for (text, expected) in [
        ("{\"a\":canary}", "the JSON is broken at line 1 column 6"),
        ("{\"a\":1", "the JSON ends early, at line 1 column 6"),
        ("", "the JSON ends early, at line 1 column 0"),
        (
            "{\n \"canary\": \"canary",
            "the JSON ends early, at line 2 column 18",
        ),
        ("[1]\n[2]", "the JSON is broken at line 2 column 1"),
        (
            "{\"a\":1, \"\\u0061\":2}",
            "the member name at line 1 column 9 repeats an earlier one of its object",
        ),
        (
            "{\"canary\":1,\n\n  \"canary\":2}",
            "the member name at line 3 column 3 repeats an earlier one of its object",
        ),
        (
            "[1,\n -1e999]",
            "the number at line 2 column 2 cannot be kept exactly; send it as a string",
        ),
        // The first of several.
        (
            "[{\"a\":1e999,\"a\":2}]",
            "the number at line 1 column 7 cannot be kept exactly; send it as a string",
        ),
    ] {
        assert_eq!(
            read(text.as_bytes()).unwrap_err().to_string(),
            expected,
            "{text}"
        );
    }
    let deep = read("[".repeat(100).as_bytes()).unwrap_err().to_string();
    assert_eq!(
        deep,
        "the JSON is nested more than 32 levels deep at line 1 column 33"
    );
    let latin = read(b"\"\n canary\xe9\"").unwrap_err().to_string();
    assert_eq!(latin, "the text is not valid UTF-8 at line 2 column 8");
}

/// An element as its text and what was read of it, or what ended the reading.
type Read<'t> = Result<(&'t str, Result<Value, Fault>), Fault>;

fn elements(text: &str) -> Vec<Read<'_>> {
    let elements = Reader::new(text.as_bytes()).unwrap().into_elements();
    elements
        .map(|element| match element {
            Ok(element) => Ok((
                &text[element.range],
                element.value.map_err(|error| error.fault),
            )),
            Err(error) => Err(error.fault),
        })
        .collect()
}

#[test]
fn elements_come_with_their_text() {
    assert_eq!(
        elements(" [ {\"a\" : 1} ,\n\"\u{e9}\",1e999, {\"a\":1,\"a\":{}} ,[2 ] ] "),
        [
            Ok(("{\"a\" : 1}", Ok(json!({ "a": 1 })))),
            Ok(("\"\u{e9}\"", Ok(json!("\u{e9}")))),
            Ok(("1e999", Err(Fault::InexactNumber))),
            Ok(("{\"a\":1,\"a\":{}}", Err(Fault::RepeatedName))),
            Ok(("[2 ]", Ok(json!([2])))),
        ]
    );
    assert_eq!(elements("[]"), []);
}

#[test]
fn after_a_broken_element_there_is_none() {
    for text in ["[1,nul,3]", "[1,2 3]", "[1,", "[1", "[1]]", "[1] 2"] {
        let found = elements(text);
        assert_eq!(
            found.iter().filter(|element| element.is_err()).count(),
            1,
            "{text}"
        );
        assert!(found.last().unwrap().is_err(), "{text}");
    }
    assert_eq!(elements("{}"), [Err(Fault::Broken)]);
    assert_eq!(elements(""), [Err(Fault::EndsEarly)]);
}

#[test]
fn elements_are_bounded_in_depth_each() {
    let most = nested("[", "", "]", MAX_DEPTH);
    assert_eq!(elements(&format!("[{most},{most}]")).len(), 2);
    assert_eq!(
        elements(&format!("[{most},[{most}]]"))[1],
        Err(Fault::TooDeep)
    );
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(8, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

/// Texts that look like JSON.
fn almost_json() -> impl Strategy<Value = String> {
    let signs = prop::sample::select(vec![
        "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "d834", "dd1e", "0", "1", "-", ".", "e",
        "+", "true", "false", "null", " ", "\n", "a", "\u{e9}", "\0", "NaN", "\"a\"", "\"a\":",
        "1e9",
    ]);
    prop::collection::vec(signs, 0..24).prop_map(|signs| signs.concat())
}

proptest! {
    #[test]
    fn what_serde_json_prints_is_read_as_it_was(value in value()) {
        prop_assert_eq!(read(value.to_string().as_bytes()), Ok(value.clone()));
        let pretty = serde_json::to_vec_pretty(&value).unwrap();
        prop_assert_eq!(read(&pretty), Ok(value));
    }

    #[test]
    fn no_bytes_panic(bytes in any::<Vec<u8>>()) {
        let _ = read(&bytes);
        let _ = Reader::new(&bytes).map(|reader| reader.into_elements().count());
    }

    /// What is read here is read by `serde_json` too, as the same value, and what it refuses is
    /// refused here.
    #[test]
    fn no_more_is_read_than_is_json(text in almost_json()) {
        let theirs: Result<Value, _> = serde_json::from_str(&text);
        match read(text.as_bytes()) {
            Ok(value) => prop_assert_eq!(Some(value), theirs.ok()),
            Err(error) => prop_assert!(
                theirs.is_err() || matches!(error.fault, Fault::RepeatedName | Fault::InexactNumber),
                "{}", error
            ),
        }
    }
}

/// The lexer ends at such a number; what stands behind it is read all the same.
#[test]
fn a_number_of_thousands_of_digits_concerns_its_element_alone() {
    for digits in [4_300, 4_301, 100_000] {
        let digits = "7".repeat(digits);
        for number in [
            digits.clone(),
            format!("-{digits}"),
            format!("{digits}.5"),
            format!("{digits}e7"),
            format!("-{digits}.25E-7"),
            format!("0.{digits}"),
            format!("1e{digits}"),
        ] {
            let text = format!(" [{{\"a\":[{number} ,1],\"b\":{number}}},\n 8,{number},\"x\"] ");
            let elements: Vec<Element> = Reader::new(text.as_bytes())
                .unwrap()
                .into_elements()
                .collect::<Result<_, _>>()
                .unwrap();
            let faults = elements
                .iter()
                .map(|one| one.value.as_ref().err().map(|error| error.fault));
            let kept = Some(Fault::InexactNumber);
            assert_eq!(faults.collect::<Vec<_>>(), [kept, None, kept, None]);
            let texts: Vec<&str> = elements
                .iter()
                .map(|one| &text[one.range.clone()])
                .collect();
            assert_eq!(texts[1..], ["8", &number, "\"x\""]);
            assert!(texts[0].starts_with('{') && texts[0].ends_with('}'));
            let error = elements[0].value.as_ref().unwrap_err().to_string();
            assert!(error.contains("line 1 column 9"), "{error}");
        }
    }
}

#[test]
fn what_follows_a_number_of_thousands_of_digits_is_judged_as_ever() {
    let digits = "7".repeat(5_000);
    for (after, expected) in [
        (".", Fault::Broken),
        ("e", Fault::Broken),
        ("e+", Fault::Broken),
        (".e1", Fault::Broken),
        ("x", Fault::Broken),
        (" 1", Fault::Broken),
        (",\"a\":", Fault::EndsEarly),
        ("", Fault::EndsEarly),
        ("}}", Fault::Broken),
    ] {
        assert_eq!(
            fault(format!("{{\"n\":{digits}{after}")),
            Some(expected),
            "{after}"
        );
    }
    let repeated = format!("{{\"n\":{digits},\"n\":1}}");
    assert_eq!(fault(repeated), Some(Fault::InexactNumber));
    let deep = format!("[{digits},{}]", "[".repeat(40));
    let error = read(deep.as_bytes()).unwrap_err();
    assert_eq!(error.fault, Fault::TooDeep);
    // The place counts from the start of the text.
    assert!(error.to_string().ends_with("column 5034"), "{error}");
}

#[test]
fn data_has_the_levels_that_its_event_leaves_it() {
    let nested = |levels| nested("[", "", "]", levels);
    assert!(read_data(nested(MAX_DEPTH - 1).as_bytes()).is_ok());
    let error = read_data(nested(MAX_DEPTH).as_bytes()).unwrap_err();
    assert_eq!(error.fault, Fault::TooDeep);
}
