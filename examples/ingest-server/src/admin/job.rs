//! Work in the background that an operator starts and looks after: one of a kind at a time.

use std::{
    error::Error,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use portcullis_keyring::sweep::Progress;
use portcullis_telemetry::BackgroundTask;
use serde::Serialize;
use tokio::{sync::watch, task::AbortHandle};

use crate::{clock::Clock, timestamp};

/// Work of one kind. Clones are the same one.
#[derive(Debug)]
pub(crate) struct Job<T> {
    name: &'static str,
    /// What its span is named.
    task: &'static str,
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State<T>>>,
    /// How often it has ended.
    ends: watch::Sender<u64>,
}

/// It is not started a second time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is under way in this process since {since}: ask how far it has come")]
pub(crate) struct UnderWay {
    pub(super) what: &'static str,
    pub(super) since: String,
}

/// How far it has come, or what came of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct JobStatus<T> {
    /// `idle`, `running`, `done` or `failed`. It is idle after a start, whatever went on before: what was not
    /// ended goes on where it was when it is started again.
    pub(crate) state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_at: Option<String>,
    /// What it is at: the name of a table, or what it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<String>,
    pub(crate) done: u64,
    pub(crate) total: u64,
    pub(crate) rows_per_second: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) eta_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) report: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

#[derive(Debug)]
struct State<T> {
    status: JobStatus<T>,
    running: Option<AbortHandle>,
}

impl<T: Clone + Send + 'static> Job<T> {
    pub(super) fn new(name: &'static str, task: &'static str, clock: Arc<dyn Clock>) -> Self {
        let state = State {
            status: JobStatus::idle(),
            running: None,
        };
        Self {
            name,
            task,
            clock,
            state: Arc::new(Mutex::new(state)),
            ends: watch::Sender::new(0),
        }
    }

    /// Changes whenever it has ended, and says so.
    pub(super) fn ends(&self) -> watch::Receiver<u64> {
        self.ends.subscribe()
    }

    /// How far it has come.
    pub(crate) fn status(&self) -> JobStatus<T> {
        self.state().status.clone()
    }

    /// Starts it. `work` is given what it tells its progress to.
    ///
    /// # Errors
    /// It is under way.
    pub(super) fn start<F, E>(
        &self,
        work: impl FnOnce(Reporter<T>) -> F,
    ) -> Result<JobStatus<T>, UnderWay>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        E: Error + Send + 'static,
    {
        let mut state = self.state();
        if state.status.state == RUNNING {
            return Err(UnderWay {
                what: self.name,
                since: state.status.started_at.clone().unwrap_or_default(),
            });
        }
        state.status = JobStatus {
            state: RUNNING,
            started_at: Some(timestamp::format(self.clock.wall())),
            ..JobStatus::idle()
        };
        let work = work(Reporter(self.clone()));
        let job = self.clone();
        let ended = async move {
            let outcome = work.await;
            job.end(outcome);
        };
        let running = BackgroundTask::new(self.task).run(ended);
        state.running = Some(tokio::spawn(running).abort_handle());
        Ok(state.status.clone())
    }

    /// Cuts it off if it runs: it can be started again, and goes on.
    pub(crate) fn stop(&self) {
        if let Some(running) = self.state().running.take() {
            running.abort();
        }
    }

    fn end(&self, outcome: Result<T, impl Error + 'static>) {
        self.note_end(outcome);
        self.ends.send_modify(|ends| *ends += 1);
    }

    fn note_end(&self, outcome: Result<T, impl Error + 'static>) {
        let mut state = self.state();
        state.running = None;
        let status = &mut state.status;
        status.ended_at = Some(timestamp::format(self.clock.wall()));
        status.at = None;
        match outcome {
            Ok(report) => {
                status.state = "done";
                status.report = Some(report);
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn Error,
                    what = self.name,
                    "what an operator started was not ended"
                );
                status.state = "failed";
                status.error = Some(error.to_string());
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes note of progress.
#[derive(Debug)]
pub(super) struct Reporter<T>(Job<T>);

impl<T: Clone + Send + 'static> Reporter<T> {
    pub(super) fn report(&self, at: &str, progress: &Progress) {
        let mut state = self.0.state();
        let status = &mut state.status;
        status.at = Some(at.to_owned());
        status.done = progress.done;
        status.total = progress.total;
        status.rows_per_second = progress.rate();
        status.eta_seconds = progress.eta().map(|eta| eta.as_secs());
    }
}

impl<T> JobStatus<T> {
    const fn idle() -> Self {
        Self {
            state: "idle",
            started_at: None,
            ended_at: None,
            at: None,
            done: 0,
            total: 0,
            rows_per_second: 0.0,
            eta_seconds: None,
            report: None,
            error: None,
        }
    }
}

impl<T> Clone for Job<T> {
    fn clone(&self) -> Self {
        Self {
            name: self.name,
            task: self.task,
            clock: Arc::clone(&self.clock),
            state: Arc::clone(&self.state),
            ends: self.ends.clone(),
        }
    }
}

const RUNNING: &str = "running";
