//! Panics as log lines.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
    time::Duration,
};

use tracing::{Dispatch, Span, dispatcher, error};

use crate::metrics::{MetricError, Registry};

/// Sends panics to the log, redacted and with the trace they happened in, instead of to stderr as
/// they are. It replaces the hook of the whole process.
///
/// A panic inside a hook ends the process, and a lock that the panicking thread holds would never be
/// given back while its own hook waits for it. So the hook itself only notes what happened; a thread
/// of its own writes the line, and the hook waits for that, at most a second. Where the log cannot be
/// written, the panic is still counted (`telemetry_panics_total`).
///
/// [`Builder::init`](crate::Builder::init) does it; with a subscriber of your own, call it from `main`.
pub fn log_panics() {
    let (reports, received) = mpsc::sync_channel(QUEUED_REPORTS);
    let writer = thread::Builder::new().name("panic log".to_owned());
    // Without the thread, panics are counted and no more.
    drop(writer.spawn(move || write_reports(&received)));
    panic::set_hook(Box::new(move |panic| report(panic, &reports)));
}

/// Panics of the process, for those who scrape.
pub(crate) fn register(registry: &Registry) -> Result<(), MetricError> {
    registry.observed_counter(
        "telemetry_panics_total",
        "Panics of the process's threads and tasks, logged or not",
        || PANICS.load(Ordering::Relaxed) as f64,
    )
}

/// Counted from `log_panics` on.
static PANICS: AtomicU64 = AtomicU64::new(0);

/// Threads that may panic at the same time and still have their line.
const QUEUED_REPORTS: usize = 64;

/// How long a thread that panicked waits for its line.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

thread_local! {
    /// Whether this thread writes the reports: one more from it would never be written.
    static WRITES_REPORTS: Cell<bool> = const { Cell::new(false) };
}

/// What is known of a panic, and who waits for its line.
struct Report {
    message: String,
    location: String,
    span: Span,
    subscriber: Dispatch,
    written: SyncSender<()>,
}

/// The hook: nothing here may panic, or wait for what the thread may hold.
fn report(panic: &PanicHookInfo<'_>, reports: &SyncSender<Report>) {
    PANICS.fetch_add(1, Ordering::Relaxed);
    if WRITES_REPORTS.try_with(Cell::get).unwrap_or(true) {
        return;
    }
    let location = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    let message = panic.payload_as_str().unwrap_or("a value that is not text");
    let (written, is_written) = mpsc::sync_channel(1);
    let report = Report {
        message: message.to_owned(),
        location,
        span: Span::current(),
        subscriber: dispatcher::get_default(Clone::clone),
        written,
    };
    if reports.try_send(report).is_ok() {
        // Late or never: the thread goes on unwinding either way.
        let _ = is_written.recv_timeout(LONGEST_WAIT);
    }
}

/// Writes the lines, for as long as there is a hook.
fn write_reports(received: &Receiver<Report>) {
    WRITES_REPORTS.set(true);
    for report in received {
        let written = report.written.clone();
        // A clock, a writer or a layer may be what panics; the next report is written all the same.
        let _ = panic::catch_unwind(AssertUnwindSafe(|| write(report)));
        let _ = written.try_send(());
    }
}

fn write(report: Report) {
    let Report {
        message,
        location,
        span,
        subscriber,
        ..
    } = report;
    dispatcher::with_default(&subscriber, || {
        error!(
            target: "panic",
            parent: &span,
            { "panic.message" = message, "panic.location" = location },
            "the thread panicked"
        );
        // Given back before the thread that panicked goes on, and where the subscriber is in force: the
        // last to hold a span ends it, and those that it is in.
        drop(span);
    });
}
