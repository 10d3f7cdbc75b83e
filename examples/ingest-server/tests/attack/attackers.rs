//! Those who attack, on a thread of their own.

use std::thread::{self, JoinHandle};

use rustix::process::setpriority_process;
use tokio::{runtime, sync::oneshot, task::JoinSet};

/// They stand for machines of others: what they compute is not to slow down the server here.
const NICENESS: i32 = 10;

/// Tasks that go on until they are told to stop.
#[derive(Debug)]
pub(crate) struct Attackers {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Attackers {
    pub(crate) fn start(attack: impl FnOnce() -> JoinSet<()> + Send + 'static) -> Self {
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            // Of this thread alone.
            setpriority_process(None, NICENESS).unwrap();
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let mut attack = attack();
                stopped.await.unwrap();
                attack.shutdown().await;
            });
        });
        Self { stop, thread }
    }

    /// Ends them all; a thread that panicked is told.
    pub(crate) fn stop(self) {
        let told = self.stop.send(());
        self.thread.join().unwrap();
        told.unwrap();
    }
}
