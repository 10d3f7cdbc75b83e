//! The fields that the service writes are those that production shows.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use portcullis_telemetry::Redactor;

use super::*;

/// What begins a list of fields, and how many of its parts are something else at first.
const LISTS: [(&str, usize); 13] = [
    ("trace!(", 0),
    ("debug!(", 0),
    ("info!(", 0),
    ("warn!(", 0),
    ("error!(", 0),
    ("event!(", 1),
    ("trace_span!(", 0),
    ("debug_span!(", 0),
    ("info_span!(", 0),
    ("warn_span!(", 0),
    ("error_span!(", 0),
    ("record_all!(", 1),
    ("fields(", 0),
];

/// A field of a span that is recorded later by its name.
const RECORD: &str = ".record(\"";

/// The sources of the service and of what writes spans for it, without their tests.
fn sources() -> Vec<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![
        package.join("src"),
        package.join("../../crates/telemetry/src"),
    ];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_test = path.file_stem().is_some_and(|name| name == "tests");
            match () {
                () if is_test => {}
                () if path.is_dir() => folders.push(path),
                () => files.push(path),
            }
        }
    }
    files
}

/// Without comments and what is behind it for tests.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code.lines();
    let lines = lines.filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The parts of a list up to the parenthesis that ends it, by the commas that are in nothing else.
fn parts(list: &str) -> Vec<String> {
    let (mut parts, mut part, mut depth) = (Vec::new(), String::new(), 0);
    let (mut in_text, mut is_escaped) = (false, false);
    for character in list.chars() {
        let is_end = !in_text && depth == 0 && character == ')';
        if is_end || !in_text && depth == 0 && character == ',' {
            parts.push(part.trim().to_owned());
            part.clear();
            if is_end {
                break;
            }
            continue;
        }
        match character {
            '"' if !is_escaped => in_text = !in_text,
            '(' | '[' | '{' if !in_text => depth += 1,
            ')' | ']' | '}' if !in_text => depth -= 1,
            _ => {}
        }
        is_escaped = in_text && character == '\\' && !is_escaped;
        part.push(character);
    }
    parts
}

/// The field that a part of a list writes, if it is one.
fn field(part: &str) -> Option<String> {
    let (name, _) = part.split_once(" = ").unwrap_or((part, ""));
    let name = name.trim_start_matches(['%', '?']);
    if name == part && name.starts_with('"') {
        return None;
    }
    let name = name.trim_matches('"');
    let is_name = |byte: u8| byte.is_ascii_lowercase() || b"_.0123456789".contains(&byte);
    let is_field = !name.is_empty() && name.bytes().all(is_name);
    is_field.then(|| name.to_owned())
}

fn written_in(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (list, others) in LISTS {
        for (at, _) in code.match_indices(list) {
            let before = code[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || "_.".contains(before) {
                continue;
            }
            let parts = parts(&code[at + list.len()..]).into_iter().skip(others);
            let is_text = |part: &String| part.starts_with('"') && !part.contains("\" = ");
            // Behind the message of an event are values for it, and behind the name of a span its fields.
            let is_span = list.ends_with("span!(");
            let fields = parts.take_while(|part| is_span || !is_text(part));
            found.extend(fields.filter_map(|part| field(&part)));
        }
    }
    let recorded = code.split(RECORD).skip(1);
    found.extend(recorded.filter_map(|rest| {
        let (name, rest) = rest.split_once('"')?;
        rest.starts_with(", ").then(|| name.to_owned())
    }));
    found
}

/// Every field, and a file that writes it.
fn written() -> BTreeMap<String, PathBuf> {
    let files = sources();
    assert!(files.len() > 400, "{}", files.len());
    let of_file = |path: PathBuf| {
        let fields = written_in(&code(&fs::read_to_string(&path).unwrap()));
        fields.into_iter().map(move |field| (field, path.clone()))
    };
    files.into_iter().flat_map(of_file).collect()
}

#[test]
fn each_field_that_is_written_is_shown_in_production() {
    let redactor = Redactor::new(Redaction::allow_list(FIELDS));
    let written = written();
    for name in ["error", "tenant", "anchor", "db.system.name", "task"] {
        assert!(written.contains_key(name), "{name} is not found");
    }
    // Name, kind and status of a span are none of its fields.
    let shown = written
        .iter()
        .filter(|(name, _)| !name.starts_with("otel."));
    let hidden = shown.filter(|(name, _)| redactor.field(name, "7") != "7");
    let hidden: BTreeMap<_, _> = hidden.collect();
    assert_eq!(hidden, BTreeMap::new(), "are to be in FIELDS");
}

#[test]
fn each_field_that_is_shown_is_written_somewhere() {
    let written = written();
    let unwritten: Vec<_> = FIELDS
        .into_iter()
        .filter(|name| !written.contains_key(*name))
        .collect();
    assert_eq!(unwritten, [] as [&str; 0], "are to leave FIELDS");
    assert!(FIELDS.is_sorted());
}

#[test]
fn fields_are_found_however_they_are_written() {
    let code = r#"
        tracing::warn!(%cursor, next, found = ?a.b(c, "d, e"), "one, {} of {}", f, g.h);
        let span = info_span!("name", a.b = Empty, "c.type" = Empty, d);
        let span = info_span!(parent: None, "name", rows = group.len());
        tracing::error!(
            error = &error as &dyn std::error::Error,
            kid,
            "why"
        );
        #[tracing::instrument(skip_all, fields(apikey.outcome = Empty))]
        record_all!(span, at_end = one, other = 2);
        span.record("by.name", value);
        self.fields(nothing); log.record(draft("nothing"));
    "#;
    let expected = [
        "a.b",
        "apikey.outcome",
        "at_end",
        "by.name",
        "c.type",
        "cursor",
        "d",
        "error",
        "found",
        "kid",
        "next",
        "other",
        "rows",
    ];
    assert_eq!(
        written_in(code),
        BTreeSet::from(expected.map(str::to_owned))
    );
}

/// What every line can have beside the fields, and of which form.
fn of_the_line() -> serde_json::Value {
    serde_json::json!({
        "ts": {
            "description": "When it was written, in UTC.",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z$",
            "type": "string",
        },
        "level": { "enum": ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"] },
        "service": { "description": "Which program.", "enum": [SERVICE, PROBE] },
        "target": { "description": "Which part of it.", "type": "string" },
        "message": { "type": "string" },
        "trace_id": { "pattern": "^[0-9a-f]{32}$", "type": "string" },
        "span_id": { "pattern": "^[0-9a-f]{16}$", "type": "string" },
        "suppressed": { "description": "Lines that there was no room for before it.", "type": "integer" },
        "truncated": { "description": "It was longer.", "const": true },
    })
}

/// A line of the log in production, from the one list of fields.
fn schema() -> serde_json::Value {
    let mut properties = of_the_line();
    let members = properties.as_object_mut().unwrap();
    for field in FIELDS {
        let form = serde_json::json!({ "type": ["string", "number", "boolean"] });
        let before = members.insert(field.to_owned(), form);
        assert!(before.is_none(), "{field} speaks for the line itself");
    }
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of the log in production",
        "description": "Made from the fields that are shown. Do not edit; run UPDATE_DOCS=1 cargo test -p \
                        ingest-server --lib log_line",
        "type": "object",
        "required": ["ts", "level", "service", "target"],
        "properties": properties,
        // What a dependency logs beside these is there by its name alone.
        "additionalProperties": { "const": "[redacted]" },
    })
}

#[test]
fn the_schema_of_a_log_line_is_made_from_the_list_of_fields() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/log-line.schema.json");
    let made = format!("{:#}\n", schema());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert_eq!(
        written, made,
        "make it again: UPDATE_DOCS=1 cargo test -p ingest-server --lib log_line"
    );
}
