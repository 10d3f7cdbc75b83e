//! What is said to whom.

use std::{
    error::Error,
    io::{self, Write as _},
    process::ExitCode,
};

use portcullis_audit_log::verify::{Finding, Outcome, Report};

/// An error with all that led to it, in one line.
pub(super) fn error(error: &dyn Error) {
    line("error", &chain(error));
}

/// What is wrong with the log, one line each.
pub(super) fn findings(report: &Report) {
    for finding in &report.findings {
        let text = match finding {
            Finding::Source(error) => chain(error),
            other => other.to_string(),
        };
        line(&finding.outcome().to_string(), &text);
    }
    if report.more > 0 {
        line("and", &format!("{} more", report.more));
    }
}

/// Something that is worth knowing, and no fault.
pub(super) fn notice(text: &str) {
    line("note", text);
}

pub(super) fn exit_code(outcome: Outcome) -> ExitCode {
    ExitCode::from(match outcome {
        Outcome::Sound => 0,
        Outcome::Tampered => 1,
        Outcome::Unusable => 2,
        Outcome::Incomplete => 3,
    })
}

fn line(kind: &str, text: &str) {
    // Where nobody listens, the exit code says it.
    let _ = writeln!(io::stderr().lock(), "{kind}: {text}");
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let said = source.to_string();
        // Some repeat what they were caused by.
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        next = source.source();
    }
    text
}
