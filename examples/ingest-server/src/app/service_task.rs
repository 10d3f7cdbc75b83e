//! What the service is made of while it runs.

use futures_util::future::select_all;
use portcullis_telemetry::BackgroundTask;
use tokio::task::JoinHandle;

/// A task that lasts as long as the service. Dropping it cuts it off.
#[derive(Debug)]
pub(super) struct ServiceTask {
    name: &'static str,
    /// None once it has ended.
    task: Option<JoinHandle<()>>,
}

impl ServiceTask {
    pub(super) fn spawn(
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self {
            name,
            task: Some(tokio::spawn(work)),
        }
    }

    /// Waits for its end, if it still runs, and gives its name.
    pub(super) async fn ended(&mut self) -> &'static str {
        if let Some(task) = &mut self.task {
            let ended = task.await;
            self.task = None;
            if ended.is_err() {
                BackgroundTask::new("service_task").within(|| {
                    tracing::error!(what = self.name, "a task of the service panicked");
                });
            }
        }
        self.name
    }
}

impl Drop for ServiceTask {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// The name of the task that ends first.
pub(super) async fn first_ended<'a>(
    tasks: impl IntoIterator<Item = &'a mut ServiceTask>,
) -> &'static str {
    let tasks = tasks.into_iter();
    let ends = tasks.map(|task| Box::pin(task.ended()));
    let (name, _, _) = select_all(ends).await;
    name
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::{ServiceTask, first_ended};

    #[tokio::test]
    async fn a_task_that_panics_is_found_and_its_end_is_not_waited_for_again() {
        let mut lasting =
            ["public", "admin", "follower"].map(|name| ServiceTask::spawn(name, pending()));
        let mut writer = ServiceTask::spawn("writer", async { panic!("a bug") });
        let [public, admin, follower] = &mut lasting;
        let name = first_ended([public, admin, &mut writer, follower]).await;
        assert_eq!(name, "writer");
        assert_eq!(writer.ended().await, "writer");
    }

    #[tokio::test]
    async fn a_task_that_merely_returns_is_found_too() {
        let mut lasting =
            ["public", "admin", "writer"].map(|name| ServiceTask::spawn(name, pending()));
        let mut follower = ServiceTask::spawn("follower", ready(()));
        let [public, admin, writer] = &mut lasting;
        let name = first_ended([public, admin, writer, &mut follower]).await;
        assert_eq!(name, "follower");
    }

    #[tokio::test]
    async fn a_task_that_is_dropped_is_cut_off() {
        let (alive, mut seen) = tokio::sync::mpsc::channel::<()>(1);
        let task = ServiceTask::spawn("task", async move {
            alive.closed().await;
            pending().await
        });
        drop(task);
        assert_eq!(seen.recv().await, None);
    }
}
