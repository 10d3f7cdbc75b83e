//! Spans as the collector prints them.

use std::collections::BTreeMap;

/// A span that the collector has printed to its status, and, of all but the last, to its end.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty at the root.
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) status: String,
    attributes: BTreeMap<String, String>,
    /// As it is printed.
    pub(crate) text: String,
}

impl Span {
    /// The value of an attribute, as text.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// Checks attributes, `None` being one that is not there.
    pub(crate) fn assert_attributes(&self, expected: &[(&str, Option<&str>)]) {
        for (name, value) in expected {
            assert_eq!(self.attribute(name), *value, "{name} in {}", self.text);
        }
    }
}

/// All spans in what the collector has printed.
pub(crate) fn spans(output: &str) -> Vec<Span> {
    let printed = output.split("\nSpan #").skip(1);
    printed.filter_map(span).collect()
}

/// The spans of a trace, once its root is among them: it ends last, and is sent last.
pub(crate) fn whole_trace(output: &str, trace: &str) -> Option<Vec<Span>> {
    let mut spans = spans(output);
    spans.retain(|span| span.trace == trace);
    spans
        .iter()
        .any(|span| span.parent.is_empty())
        .then_some(spans)
}

fn span(text: &str) -> Option<Span> {
    let field = |name: &str| {
        let mut fields = text.lines().filter_map(|line| line.split_once(':'));
        let found = fields.find(|(label, _)| label.trim() == name);
        found.map(|(_, value)| value.trim().to_owned())
    };
    let attributes = text.lines().filter_map(|line| {
        let (name, value) = line.trim().strip_prefix("-> ")?.split_once(": ")?;
        let (_kind, value) = value.strip_suffix(')')?.split_once('(')?;
        Some((name.to_owned(), value.to_owned()))
    });
    Some(Span {
        status: field("Status code")?,
        trace: field("Trace ID")?,
        id: field("ID")?,
        parent: field("Parent ID")?,
        name: field("Name")?,
        kind: field("Kind")?,
        attributes: attributes.collect(),
        text: text.to_owned(),
    })
}
