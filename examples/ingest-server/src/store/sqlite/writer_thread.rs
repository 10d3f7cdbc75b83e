//! The thread on which groups are written: it owns the connection, so that no statement is handed to
//! another one.

use std::{panic, thread};

use tokio::{runtime::Handle, sync::oneshot};

use super::sink::SqliteSink;
use crate::store::WriteGroups;

/// Runs what writes groups, on a thread of its own. Who stops waiting for it leaves it running: it ends
/// with its queue.
///
/// # Panics
/// It did, or there is no thread to be had.
pub(super) async fn run(sink: SqliteSink, groups: WriteGroups) {
    // Tells of the end however the thread comes to it.
    let (running, ended) = oneshot::channel::<()>();
    let runtime = Handle::current();
    let thread = thread::Builder::new().name("sqlite-writer".to_owned());
    let thread = thread.spawn(move || {
        let _running = running;
        runtime.block_on(groups(Box::new(sink)));
    });
    let thread = thread.expect("the system gives a thread at the start");
    let _ = ended.await;
    if let Err(cause) = thread.join() {
        panic::resume_unwind(cause);
    }
}
