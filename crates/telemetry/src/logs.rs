//! Log lines: one for each event, redacted, bounded, with the ids of its trace.

mod fields;
mod json;
mod pretty;
mod stamp;
mod stderr;
mod text;
mod throttle;
mod trace_ids;
mod verbosity;

use std::{
    cell::RefCell,
    fmt,
    io::Write,
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
};

use prometheus_client::metrics::counter::Counter;
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    Layer,
    fmt::{MakeWriter, writer::BoxMakeWriter},
    layer::Context,
    registry::LookupSpan,
};

use self::{
    fields::Line,
    throttle::{Throttle, Verdict},
};
use crate::{
    clock::Clock,
    metrics::{ClosedCounters, MetricError, Registry},
    redact::Redactor,
    traces::{Ids, current_ids, ids_of},
};

pub(crate) use self::{stderr::Stderr, verbosity::Verbosity};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Logs {
    /// One flat JSON object a line: `ts`, `level`, `service`, `target`, `trace_id`, `span_id`,
    /// `message`, then the event's fields.
    #[default]
    Json,
    /// One line for people: time, level, target, message, fields, ids.
    Pretty,
    /// No log lines.
    Off,
}

/// How much may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLimits {
    /// Bytes of a line, its end included: 16 KiB. What is longer is cut, the line says so, and
    /// `telemetry_log_lines_truncated_total` counts it. Under 1 KiB counts as 1 KiB.
    pub line_bytes: NonZeroUsize,
    /// Lines that one call site may write in any one second: 200. More are counted, and the call
    /// site's next line tells how many are missing.
    pub lines_per_second: NonZeroU32,
}

impl Default for LogLimits {
    fn default() -> Self {
        Self {
            line_bytes: NonZeroUsize::new(16 * 1024).expect("not zero"),
            lines_per_second: NonZeroU32::new(200).expect("not zero"),
        }
    }
}

/// Writes each event as one line, redacted, with the ids of the trace it belongs to.
pub(crate) struct LogLayer {
    service: String,
    logs: Logs,
    line_bytes: usize,
    throttle: Throttle,
    redactor: Arc<Redactor>,
    clock: Arc<dyn Clock>,
    writer: BoxMakeWriter,
    dropped: ClosedCounters<2>,
    truncated: Counter,
}

const MIN_LINE_BYTES: usize = 1024;
/// A service or target longer than this is cut, so that the message always has room.
const MAX_NAME_BYTES: usize = 128;

impl LogLayer {
    pub(crate) fn new(
        service: String,
        logs: Logs,
        limits: LogLimits,
        redactor: Arc<Redactor>,
        clock: Arc<dyn Clock>,
        writer: BoxMakeWriter,
    ) -> Self {
        Self {
            service,
            logs,
            line_bytes: limits.line_bytes.get().max(MIN_LINE_BYTES),
            throttle: Throttle::new(limits.lines_per_second),
            redactor,
            clock,
            writer,
            dropped: ClosedCounters::new("reason", ["rate", "write"]),
            truncated: Counter::default(),
        }
    }

    pub(crate) fn register(&self, registry: &Registry) -> Result<(), MetricError> {
        self.dropped.register(
            registry,
            "telemetry_log_lines_dropped",
            "Log lines not written, because their call site wrote too many or the writer failed",
        )?;
        registry.register(
            "telemetry_log_lines_truncated",
            "Log lines written without a part of their fields, because they were longer than a line may be",
            self.truncated.clone(),
        )
    }

    /// Lines that were not written, by why.
    pub(crate) fn dropped(&self) -> &ClosedCounters<2> {
        &self.dropped
    }

    fn over_rate(&self) -> &Counter {
        self.dropped.at(0)
    }

    fn not_written(&self) -> &Counter {
        self.dropped.at(1)
    }
}

/// The ids of the span that the event belongs to. The span that is entered on this thread is the cheap
/// and usual case; an event may name another as its parent.
fn ids<S>(event: &Event<'_>, context: &Context<'_, S>) -> Option<Ids>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    match event.parent() {
        Some(id) => ids_of(&context.span(id)?),
        None if event.is_root() => None,
        None => current_ids(),
    }
}

impl<S> Layer<S> for LogLayer
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let render = match self.logs {
            Logs::Json => json::render,
            Logs::Pretty => pretty::render,
            Logs::Off => return,
        };
        let suppressed = match self
            .throttle
            .check(event.metadata(), self.clock.monotonic())
        {
            Verdict::Write { suppressed } => suppressed,
            Verdict::Drop => {
                self.over_rate().inc();
                return;
            }
        };
        let line = Line {
            at: self.clock.wall(),
            service: &self.service,
            span: ids(event, &context),
            suppressed,
            redactor: &self.redactor,
            max_bytes: self.line_bytes,
        };
        let write = |text: &mut String| {
            text.clear();
            let is_cut = render(text, &line, event);
            text.push('\n');
            let written = self
                .writer
                .make_writer_for(event.metadata())
                .write_all(text.as_bytes());
            if written.is_err() {
                self.not_written().inc();
            } else if is_cut {
                self.truncated.inc();
            }
            text.shrink_to(KEPT_BUFFER_BYTES);
        };
        let shared = BUFFER.try_with(|buffer| match buffer.try_borrow_mut() {
            Ok(mut text) => write(&mut text),
            // A field's Debug may log: that line gets a buffer of its own.
            Err(_) => write(&mut String::new()),
        });
        if shared.is_err() {
            // A thread that ends has none.
            write(&mut String::new());
        }
    }
}

/// What a thread keeps between two lines.
const KEPT_BUFFER_BYTES: usize = 4096;

thread_local! {
    static BUFFER: RefCell<String> = const { RefCell::new(String::new()) };
}

impl fmt::Debug for LogLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogLayer")
            .field("logs", &self.logs)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
