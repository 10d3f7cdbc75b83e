//! The two text formats of `/metrics`, and which of them is sent.

mod exemplars;

use std::fmt::Write;

/// A body for `/metrics` and the media type to send it with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exposition {
    /// The value of the `Content-Type` header.
    pub content_type: &'static str,
    /// The text, complete.
    pub body: String,
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

impl Exposition {
    pub(super) fn is_open_metrics(accept: Option<&str>) -> bool {
        accept.is_some_and(prefers_open_metrics)
    }

    /// The samples with their exemplars, which are written apart.
    pub(super) fn open_metrics(samples: String, exemplars: &str) -> Self {
        Self {
            content_type: OPEN_METRICS,
            body: exemplars::joined(samples, exemplars),
        }
    }

    pub(super) fn text(open_metrics: &str) -> Self {
        Self {
            content_type: TEXT,
            body: to_text(open_metrics),
        }
    }
}

/// Whether OpenMetrics is asked for by name with at least the weight of the plain text.
fn prefers_open_metrics(accept: &str) -> bool {
    let mut open_metrics = 0;
    let mut plain = 0;
    for range in split_unquoted(accept, ',') {
        let mut parts = split_unquoted(range, ';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        let (mut version, mut weight) = (None, 1_000);
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim().to_ascii_lowercase().as_str() {
                "version" => version = Some(value.trim().trim_matches('"')),
                "q" => weight = thousandths(value.trim()).unwrap_or(0),
                _ => {}
            }
        }
        match media.as_str() {
            "application/openmetrics-text" if matches!(version, None | Some("1.0.0")) => {
                open_metrics = open_metrics.max(weight);
            }
            "text/plain" => plain = plain.max(weight),
            _ => {}
        }
    }
    open_metrics > 0 && open_metrics >= plain
}

/// A weight as RFC 9110, 12.4.2 writes it: 0 to 1 with three decimals at most.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    let decimals: u16 = digits.then(|| format!("{decimals:0<3}").parse().ok())??;
    match whole {
        "0" => Some(decimals),
        "1" if decimals == 0 => Some(1_000),
        _ => None,
    }
}

/// The parts between separators, of which one in quotes separates nothing.
fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |character| {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => return character == separator && !quoted,
        }
        false
    })
}

/// OpenMetrics 1.0 as the text format 0.0.4 writes it: metadata under the sample's name, no
/// units, no exemplars, no end mark, and quotes in help not escaped.
fn to_text(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = "";
    for line in open_metrics.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some((name, kind)) = line
            .strip_prefix("# TYPE ")
            .and_then(|rest| rest.split_once(' '))
        {
            let (suffix, kind) = match kind {
                "counter" => ("_total", kind),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                _ => ("", kind),
            };
            let help = help.replace(r#"\""#, "\"");
            write!(
                text,
                "# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {kind}\n"
            )
            .expect("a string takes all that is written");
        } else if !line.starts_with('#') {
            text.push_str(exemplars::without(line));
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests;
