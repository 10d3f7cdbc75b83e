//! Exemplars at the end of samples: put there for OpenMetrics, taken off for the text format.

use std::collections::HashMap;

/// What stands between a sample and its exemplar.
const MARK: &str = " # {";

/// The samples of `body`, those with the exemplars that `exemplars` has for the same series. Its own values
/// are those of nothing.
pub(in crate::metrics) fn joined(body: String, exemplars: &str) -> String {
    let by_series: HashMap<&str, &str> = exemplars
        .lines()
        .filter_map(|line| {
            // The labels of our exemplars have no mark in them, those of the series may.
            let (sample, exemplar) = line.rsplit_once(MARK)?;
            let (series, _) = sample.rsplit_once(' ')?;
            Some((series, exemplar))
        })
        .collect();
    if by_series.is_empty() {
        return body;
    }
    let mut text = String::with_capacity(body.len() + 128 * by_series.len());
    for line in body.lines() {
        text.push_str(line);
        if let Some((series, _)) = line.rsplit_once(' ')
            && !line.starts_with('#')
            && let Some(exemplar) = by_series.get(series)
        {
            text.push_str(MARK);
            text.push_str(exemplar);
        }
        text.push('\n');
    }
    text
}

/// A sample without the exemplar that it may have.
pub(super) fn without(line: &str) -> &str {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let mut marks = line.char_indices().filter(|(at, character)| {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ => return !is_quoted && line[*at..].starts_with(MARK),
        }
        false
    });
    marks.next().map_or(line, |(at, _)| &line[..at])
}
