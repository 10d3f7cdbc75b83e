//! Metrics as tables of Markdown.

use std::fmt::Write as _;

use portcullis_telemetry::Label;

use super::{
    Process, Row,
    subjects::{self, SUBJECTS},
};

/// A label with more values than this has a list of its own at the end.
const MOST_VALUES: usize = 12;

/// A table for each subject, and after them the values that have no room there.
pub(super) fn by_subject(rows: &[Row]) -> String {
    let mut page = String::new();
    for (subject, (title, _)) in SUBJECTS.iter().enumerate() {
        let mut of_subject = rows
            .iter()
            .filter(|row| subjects::of(&row.metric.name) == subject)
            .peekable();
        assert!(of_subject.peek().is_some(), "nothing is about {title}");
        writeln!(page, "\n## {title}\n").unwrap();
        page.push_str("| name | type | unit | labels | meaning |\n|---|---|---|---|---|\n");
        for row in of_subject {
            writeln!(page, "{row}", row = line(row)).unwrap();
        }
    }
    page.push_str("\n## Labels of many values\n");
    for Row { metric, .. } in rows {
        for label in metric.labels.iter().filter(|label| is_long(label)) {
            let values = label.values().unwrap_or_default();
            let name = label.name();
            writeln!(
                page,
                "\n`{name}` of `{}`:\n\n{}",
                metric.name,
                wrapped(values)
            )
            .unwrap();
        }
    }
    page
}

fn line(
    Row {
        metric,
        need,
        process,
        ..
    }: &Row,
) -> String {
    let labels: Vec<_> = metric.labels.iter().map(label).collect();
    let mut meaning = format!("{}.", metric.help);
    if let Some(need) = need {
        meaning = format!("{meaning} {}", need.text);
    }
    if *process == Process::Probe {
        meaning = format!("{meaning} *In the process of* `ingest-server probe`.");
    }
    let unit = metric.unit.map_or("", |unit| unit.as_str());
    let cells = [
        &format!("`{}`", metric.name),
        metric.kind.as_str(),
        unit,
        &labels.join("; "),
        &meaning,
    ];
    format!(
        "| {} |",
        cells.map(|cell| cell.replace('|', "\\|")).join(" | ")
    )
}

fn label(label: &Label) -> String {
    let name = format!("`{}`", label.name());
    match label.values() {
        None => name,
        Some(values) if is_long(label) => {
            format!("{name}: [{} values](#labels-of-many-values)", values.len())
        }
        Some(values) => format!("{name}: {}", values.join(", ")),
    }
}

fn is_long(label: &Label) -> bool {
    let values = label.values();
    values.is_some_and(|values| values.len() > MOST_VALUES)
}

/// With commas, in lines of at most 120 characters.
fn wrapped(values: &[String]) -> String {
    let mut lines = vec![String::new()];
    for (number, value) in values.iter().enumerate() {
        let end = if number + 1 == values.len() { "" } else { "," };
        let word = format!("`{value}`{end}");
        let line = lines.last_mut().unwrap();
        match line.len() {
            0 => line.push_str(&word),
            length if length + 1 + word.len() <= 120 => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines.join("\n")
}
