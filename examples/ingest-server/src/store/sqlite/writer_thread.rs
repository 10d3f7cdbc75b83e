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
/// It did, or there are too many threads.
pub(super) async fn run(open: impl FnOnce() -> SqliteSink + Send + 'static, groups: WriteGroups) {
    // Tells of the end however the thread comes to it.
    let (running, ended) = oneshot::channel::<()>();
    let runtime = Handle::current();
    let thread = thread::Builder::new().name("sqlite-writer".to_owned());
    let thread = thread.spawn(move || {
        let _running = running;
        runtime.block_on(groups(Box::new(open())));
    });
    let thread = thread.expect("the system gives a thread at the start");
    let _ = ended.await;
    if let Err(cause) = thread.join() {
        panic::resume_unwind(cause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[should_panic(expected = "a bug")]
    async fn a_panic_on_the_thread_is_one_of_who_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let store = super::super::SqliteStore::open(&path).await.unwrap();
        let (file, turns) = (store.file.clone(), store.turns());
        let sink = || SqliteSink::open(path, file, turns);
        run(sink, Box::new(|_| Box::pin(async { panic!("a bug") }))).await;
    }
}
