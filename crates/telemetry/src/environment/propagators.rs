//! `OTEL_PROPAGATORS`: how the caller's trace is found.

use super::{Environment, EnvironmentWarning, reader::Reader, syntax};

pub(super) const VARIABLE: &str = "OTEL_PROPAGATORS";

/// What `OTEL_PROPAGATORS` must be.
pub(super) const EXPECTED: &str =
    "`none`, or a list with `tracecontext` in it: no other propagator is supported";

const NONE: &str = "none";
const TRACE_CONTEXT: &str = "tracecontext";
/// Part of the specification's default, and never read: it would carry the caller's text past the
/// redactor into every span.
const BAGGAGE: &str = "baggage";

/// Whether the caller's trace is looked for, or `None` for a list that can only mean another way
/// to find it than is known here.
pub(super) fn reads_trace_context(text: &str) -> Option<bool> {
    let names = syntax::names(text);
    let has = |name: &str| names.iter().any(|known| known == name);
    match names.len() {
        1 if has(NONE) => Some(false),
        1 if has(BAGGAGE) => Some(false),
        _ if has(TRACE_CONTEXT) && !has(NONE) => Some(true),
        _ => None,
    }
}

/// As the specification wants it, a name that is not known is told and passed over.
pub(super) fn passed_over(environment: &Environment) -> Option<EnvironmentWarning> {
    let (_, text) = environment.first(&[VARIABLE]).ok().flatten()?;
    let is_read = |name: &String| [NONE, TRACE_CONTEXT, BAGGAGE].contains(&name.as_str());
    let names = syntax::names(&text);
    (reads_trace_context(&text).is_some() && !names.iter().all(is_read)).then_some(
        EnvironmentWarning {
            variable: VARIABLE,
            reason: "propagators other than `tracecontext` are passed over",
        },
    )
}

impl Reader<'_> {
    /// The specification's default has `tracecontext` in it.
    pub(super) fn propagates(&mut self) -> bool {
        let (variable, expected) = (VARIABLE, EXPECTED);
        let reads = self.parsed(&[variable], expected, reads_trace_context);
        reads.unwrap_or(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_trace_is_looked_for_unless_the_list_leaves_it_out() {
        for (text, expected) in [
            ("tracecontext", Some(true)),
            ("tracecontext,baggage", Some(true)),
            ("baggage, tracecontext", Some(true)),
            ("TraceContext,tracecontext,baggage,baggage", Some(true)),
            ("tracecontext,baggage,b3", Some(true)),
            ("none", Some(false)),
            ("none,none", Some(false)),
            ("baggage", Some(false)),
            ("none,tracecontext", None),
            ("b3", None),
            ("b3multi,baggage", None),
            ("trace-context", None),
            (",", None),
        ] {
            assert_eq!(reads_trace_context(text), expected, "{text}");
        }
    }

    #[test]
    fn a_name_that_is_passed_over_is_told() {
        for (text, is_told) in [
            ("tracecontext,baggage", false),
            ("none", false),
            ("tracecontext,b3", true),
            ("tracecontext,canary", true),
            ("b3", false),
        ] {
            let environment = Environment::from_pairs([(VARIABLE, text)]);
            let warning = passed_over(&environment);
            assert_eq!(warning.is_some(), is_told, "{text}");
        }
    }
}
