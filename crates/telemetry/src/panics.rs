//! Panics as log lines.

use std::panic::{self, PanicHookInfo};

use tracing::error;

/// Sends panics to the log, redacted and with the trace they happened in, instead of to stderr as
/// they are. It replaces the hook of the whole process.
///
/// [`Builder::init`](crate::Builder::init) does it; with a subscriber of your own, call it from `main`.
pub fn log_panics() {
    panic::set_hook(Box::new(log));
}

fn log(panic: &PanicHookInfo<'_>) {
    let location = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    let text = panic.payload_as_str().unwrap_or("a value that is not text");
    error!(target: "panic", { "panic.message" = text, "panic.location" = location }, "the thread panicked");
}
