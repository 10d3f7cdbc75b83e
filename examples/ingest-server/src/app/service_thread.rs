//! A task of the service that has a thread and a runtime of its own.

use std::{convert::Infallible, io, panic, thread};

use tokio::{
    runtime::{self, Handle},
    select,
    sync::oneshot,
};

use super::service_task::ServiceTask;

/// A [`ServiceTask`] that no other work can keep waiting, however much there is of it: the system gives its
/// thread a turn, where tasks of one runtime wait until each of those before them gives way.
#[derive(Debug)]
pub(super) struct ServiceThread {
    task: ServiceTask,
    runtime: Handle,
    /// Dropped when the work is to end.
    going_on: Option<oneshot::Sender<Infallible>>,
    /// What the work has opened closes on its runtime, which lasts until this is dropped.
    _needed: oneshot::Sender<Infallible>,
}

impl ServiceThread {
    /// Runs `work` until it ends or is stopped, and then `at_end`.
    pub(super) fn spawn(
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
        at_end: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        let (going_on, stopped) = oneshot::channel();
        let (needed, released) = oneshot::channel();
        let (tell_end, ended) = oneshot::channel();
        let thread = thread::Builder::new().name(thread_name(name));
        let thread = thread.spawn(move || {
            runtime.block_on(async {
                select! {
                    () = work => {}
                    _ = stopped => {}
                }
                at_end.await;
                // Who has stopped waiting knows.
                let _ = tell_end.send(());
                let _: Result<Infallible, _> = released.await;
            });
        })?;
        let task = ServiceTask::spawn(name, async move {
            // Without a word it has panicked.
            if ended.await.is_err()
                && let Err(cause) = thread.join()
            {
                panic::resume_unwind(cause);
            }
        });
        Ok(Self {
            task,
            runtime: handle,
            going_on: Some(going_on),
            _needed: needed,
        })
    }

    /// Its end, while nobody has stopped it, to be told from that of other tasks.
    pub(super) const fn task(&mut self) -> &mut ServiceTask {
        &mut self.task
    }

    /// The runtime that the work has for itself.
    pub(super) const fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Ends the work, and waits until what is done at its end is done.
    pub(super) async fn stop(&mut self) {
        self.going_on = None;
        self.task.ended().await;
    }
}

/// As far as Linux keeps it: 15 bytes.
fn thread_name(name: &str) -> String {
    let words = name.strip_prefix("the ").unwrap_or(name);
    words.chars().take(15).collect()
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, ready},
        sync::mpsc,
        time::Duration,
    };

    use super::*;
    use crate::app::service_task::first_ended;

    fn none() -> std::future::Ready<()> {
        ready(())
    }

    #[tokio::test]
    async fn work_goes_on_while_the_runtime_beside_it_is_blocked() {
        let (tell, told) = mpsc::channel();
        let work = async move {
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                if tell.send(()).is_err() {
                    pending::<()>().await;
                }
            }
        };
        let _thread = ServiceThread::spawn("the test", work, none()).unwrap();
        for _ in 0..10 {
            // Blocks the only thread of this runtime.
            told.recv_timeout(Duration::from_secs(30)).unwrap();
        }
    }

    #[tokio::test]
    async fn what_is_done_at_the_end_is_done_before_the_stop_is_over() {
        let (tell, told) = mpsc::channel();
        let at_end = async move { tell.send(()).unwrap() };
        let mut thread = ServiceThread::spawn("the test", pending(), at_end).unwrap();
        assert!(told.try_recv().is_err());
        thread.stop().await;
        told.try_recv().unwrap();
    }

    #[tokio::test]
    async fn a_thread_that_panics_or_returns_is_found_as_a_task_is() {
        let mut lasting = ServiceTask::spawn("lasting", pending());
        let panics = async { panic!("a bug") };
        let mut panics = ServiceThread::spawn("panics", panics, none()).unwrap();
        let name = first_ended([&mut lasting, panics.task()]).await;
        assert_eq!(name, "panics");
        let mut returns = ServiceThread::spawn("returns", none(), none()).unwrap();
        let name = first_ended([&mut lasting, returns.task()]).await;
        assert_eq!(name, "returns");
        panics.stop().await;
        returns.stop().await;
    }

    #[tokio::test]
    async fn a_thread_that_is_dropped_is_cut_off() {
        let (alive, mut seen) = tokio::sync::mpsc::channel::<()>(1);
        let work = async move {
            alive.closed().await;
            pending().await
        };
        drop(ServiceThread::spawn("the test", work, none()).unwrap());
        assert_eq!(seen.recv().await, None);
    }
}
