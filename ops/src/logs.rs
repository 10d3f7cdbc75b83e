//! Shipping of log lines: configuration of agents, and what OpenSearch keeps of a line.
//!
//! Which members a line has is `docs/log-line.schema.json`, which the service makes from its list of fields.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

/// The schema of a line, as far as it is read here.
#[derive(Debug, Deserialize)]
pub(crate) struct LogLine {
    properties: BTreeMap<String, Value>,
}

/// What agents call members of a line. OpenTelemetry has other names for three of them; and of a name that another
/// begins with, such as `error` of `error.type`, OpenSearch makes an object.
const RENAMED: [(&str, &str); 4] = [
    ("ts", "timestamp"),
    ("level", "severity"),
    ("message", "body"),
    ("error", "exception.message"),
];

/// The name of the template, of the policy, and of indexes before their date.
const NAME: &str = "portcullis-logs";

/// How long lines are kept.
const KEPT: &str = "30d";

/// Configuration of agents. No test could run them: none is in Debian, PyPI or npm.
pub(crate) const ALLOY: &str = include_str!("logs/config.alloy");
pub(crate) const VECTOR: &str = include_str!("logs/vector.yaml");
pub(crate) const FLUENT_BIT: &str = include_str!("logs/fluent-bit.yaml");

impl LogLine {
    pub(crate) fn read(schema: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(schema)
    }

    /// The names that an index knows, each with how it is kept.
    fn mapped(&self) -> BTreeMap<String, Value> {
        let renamed = |name: &String| {
            let new = RENAMED.iter().find(|(old, _)| old == name);
            new.map_or_else(|| name.clone(), |(_, new)| (*new).to_owned())
        };
        let properties = self.properties.iter();
        let mut mapped: BTreeMap<_, _> = properties
            .map(|(name, form)| (renamed(name), kept_as(name, form)))
            .collect();
        mapped.insert("env".to_owned(), json!({ "type": "keyword" }));
        mapped
    }

    /// `opensearch-template.json`.
    pub(crate) fn template(&self) -> String {
        let template = json!({
            "index_patterns": [format!("{NAME}-*")],
            "priority": 200,
            "template": {
                "settings": { "index": { "number_of_shards": 1 } },
                "mappings": { "dynamic": false, "properties": self.mapped() },
            },
        });
        format!("{template:#}\n")
    }
}

/// `opensearch-policy.json`: what is older is deleted.
pub(crate) fn policy() -> String {
    let policy = json!({
        "policy": {
            "description": "Deletes log lines that are older than 30 days.",
            "ism_template": [{ "index_patterns": [format!("{NAME}-*")], "priority": 200 }],
            "default_state": "kept",
            "states": [
                {
                    "name": "kept",
                    "actions": [],
                    "transitions": [{ "state_name": "old", "conditions": { "min_index_age": KEPT } }],
                },
                { "name": "old", "actions": [{ "delete": {} }], "transitions": [] },
            ],
        },
    });
    format!("{policy:#}\n")
}

/// How a member is kept: text is searched by its words, numbers and what has few values as they are. A field may be
/// a text in one line and a number in another, and a number is found as a text too.
fn kept_as(name: &str, form: &Value) -> Value {
    match name {
        "ts" => json!({ "type": "date" }),
        "message" | "error" | "details" => json!({ "type": "text" }),
        _ if form["type"] == "integer" => json!({ "type": "long" }),
        _ if form["const"] == true => json!({ "type": "boolean" }),
        _ => json!({ "type": "keyword", "ignore_above": 1024 }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::files;

    /// What Loki tells streams apart by. Nothing else is a label: each combination is a stream.
    const LABELS: [&str; 3] = ["service", "env", "level"];

    /// What Loki keeps beside a line, to be found by.
    const STRUCTURED: [&str; 3] = ["trace_id", "tenant", "reason"];

    fn line() -> LogLine {
        LogLine::read(&files::read(files::LOG_LINE).unwrap()).unwrap()
    }

    #[test]
    fn the_template_has_every_member_of_a_line_and_none_is_the_beginning_of_another() {
        let line = line();
        let mapped = line.mapped();
        assert_eq!(mapped.len(), line.properties.len() + 1);
        for name in mapped.keys() {
            let below = format!("{name}.");
            let taken = mapped.keys().find(|other| other.starts_with(&below));
            assert_eq!(taken, None, "OpenSearch takes {name} for an object");
        }
        let template: Value = serde_json::from_str(&line.template()).unwrap();
        assert_eq!(template["template"]["mappings"]["dynamic"], false);
    }

    #[test]
    fn what_is_renamed_or_told_apart_by_is_a_member_of_a_line() {
        let line = line();
        let names: BTreeSet<_> = line.properties.keys().map(String::as_str).collect();
        let renamed = RENAMED.iter().map(|(name, _)| *name);
        let labels = LABELS.into_iter().filter(|name| *name != "env");
        for name in renamed.chain(labels).chain(STRUCTURED) {
            assert!(names.contains(name), "{name}");
        }
        for (_, new) in RENAMED {
            assert!(!names.contains(new), "{new} is another member");
        }
    }

    /// The names of a block of a configuration: from its beginning to where it ends.
    fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
        let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("{begin}"));
        rest.split_once(end).unwrap().0
    }

    /// The first words of its lines.
    fn keys(block: &str) -> BTreeSet<&str> {
        let words = block.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
        words.filter(|word| !word.is_empty()).collect()
    }

    #[test]
    fn each_agent_renames_these_members_and_has_these_labels_and_no_others() {
        for (name, text) in [
            ("alloy", ALLOY),
            ("vector", VECTOR),
            ("fluent-bit", FLUENT_BIT),
        ] {
            for (old, new) in RENAMED {
                assert!(
                    text.contains(old) && text.contains(new),
                    "{name}: {old} to {new}"
                );
            }
        }
        let labels: BTreeSet<_> = LABELS.into_iter().collect();
        let structured: BTreeSet<_> = STRUCTURED.into_iter().collect();
        let of_alloy = between(ALLOY, "stage.label_keep {\n    values = [", "]");
        assert_eq!(keys(of_alloy), labels);
        let of_alloy = between(ALLOY, "stage.structured_metadata {\n    values = {", "}");
        assert_eq!(keys(of_alloy), structured);
        let first = |block: &'static str| -> BTreeSet<&str> {
            let lines = block.lines().filter_map(|line| line.split_once(':'));
            lines.map(|(name, _)| name.trim()).collect()
        };
        assert_eq!(
            first(between(VECTOR, "    labels:\n", "    structured_metadata:")),
            labels
        );
        assert_eq!(
            first(between(
                VECTOR,
                "    structured_metadata:\n",
                "    encoding:"
            )),
            structured
        );
        let pairs = |block: &'static str| -> BTreeSet<&str> {
            let pairs = block.split(',').filter_map(|pair| pair.split_once('='));
            pairs.map(|(name, _)| name.trim()).collect()
        };
        assert_eq!(pairs(between(FLUENT_BIT, "      labels: ", "\n")), labels);
        assert_eq!(
            pairs(between(FLUENT_BIT, "      structured_metadata: ", "\n")),
            structured
        );
    }
}
