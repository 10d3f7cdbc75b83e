//! What a thread says while it ends, when its thread-locals are gone: this binary holds one test, since
//! there is one global subscriber.
#![expect(
    clippy::unwrap_used,
    reason = "what a test does not expect is to fail it"
)]

#[path = "support/lines.rs"]
mod lines;

use std::{cell::RefCell, thread};

use portcullis_telemetry::{Environment, Telemetry};
use tracing::{Span, info, info_span, subscriber::with_default};
use tracing_subscriber::registry;

use self::lines::Lines;

/// Logs in the span when it is dropped.
struct LastWords(Span);

impl Drop for LastWords {
    fn drop(&mut self) {
        self.0.in_scope(|| info!(value = ?Some(1), "last words"));
    }
}

thread_local! {
    static LAST_WORDS: RefCell<Option<LastWords>> = const { RefCell::new(None) };
}

#[test]
fn a_thread_that_ends_may_log_in_a_span() {
    let lines = Lines::default();
    let _guard = Telemetry::builder("svc")
        .environment(Environment::empty())
        .writer(lines.clone())
        .init()
        .unwrap();
    let span = info_span!("span");
    let ending = thread::spawn(|| {
        // The registry has a thread-local too, and panics without it: that one is made first of all.
        with_default(registry(), || info_span!("warm-up").in_scope(|| {}));
        // Used before the line below, so that it is dropped after what that makes.
        LAST_WORDS.set(Some(LastWords(span)));
        info_span!("other").in_scope(|| info!(value = ?Some(0), "first words"));
    });
    ending.join().unwrap();
    let text = lines.text();
    let last = text.lines().last().unwrap();
    assert!(
        last.contains("last words") && last.contains("Some(1)"),
        "{text}"
    );
}
