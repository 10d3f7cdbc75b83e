//! What is written now and then in the background, and once more at the end.

use tokio::sync::oneshot;

use super::service_task::ServiceTask;

/// A task that goes on until it is told that nothing is recorded any more.
#[derive(Debug)]
pub(super) struct Recording {
    task: ServiceTask,
    going_on: Option<oneshot::Sender<()>>,
}

impl Recording {
    /// The work ends after what it is told by has.
    pub(super) fn start<F>(
        name: &'static str,
        work: impl FnOnce(oneshot::Receiver<()>) -> F,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (going_on, ended) = oneshot::channel();
        Self {
            task: ServiceTask::spawn(name, work(ended)),
            going_on: Some(going_on),
        }
    }

    /// Its end, while nobody has stopped it, to be told from that of other tasks.
    pub(super) const fn task(&mut self) -> &mut ServiceTask {
        &mut self.task
    }

    /// Has it write what is left, and waits for it.
    pub(super) async fn stop(&mut self) {
        self.going_on = None;
        self.task.ended().await;
    }
}
