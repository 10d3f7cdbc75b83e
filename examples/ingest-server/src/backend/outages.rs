//! What stopped working is told when it does, with its cause, and when it works again: not each time it is
//! asked.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use portcullis_telemetry::BackgroundTask;

use crate::clock::{Clock as _, SystemClock};

/// What is asked of one part, and fails.
#[derive(Debug)]
pub(super) struct Outages {
    tell: Tell,
    /// By what was asked: when it last failed.
    failing: Mutex<BTreeMap<&'static str, Duration>>,
}

/// Puts into the log that something fails, with the cause, or works again.
pub(super) type Tell = fn(task: &'static str, cause: Option<&(dyn Error + 'static)>);

/// For what is told outside a request.
const TASK: BackgroundTask = BackgroundTask::new("outage");

/// It works again when nothing has failed for so long. A shorter time would tell of each failure of what fails
/// now and then.
const CALM: Duration = Duration::from_secs(10);

/// Who asked has given up. Those who do so sooner had no reason to complain.
const GIVEN_UP_AFTER: Duration = Duration::from_millis(500);

#[derive(Debug, thiserror::Error)]
#[error("there was no answer in time")]
struct Unanswered;

impl Outages {
    pub(super) fn new(tell: Tell) -> Self {
        Self {
            tell,
            failing: Mutex::default(),
        }
    }

    /// Passes an answer on. That there was none is noted too.
    pub(super) async fn watch<T, E: Error + 'static>(
        &self,
        task: &'static str,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let mut asked = Asked {
            outages: self,
            task,
            at: Some(SystemClock.monotonic()),
        };
        let answer = answer.await;
        asked.at = None;
        match &answer {
            Ok(_) => self.answered(task, SystemClock.monotonic()),
            Err(error) => self.failed(task, error, SystemClock.monotonic()),
        }
        answer
    }

    fn failed(&self, task: &'static str, cause: &(dyn Error + 'static), now: Duration) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = failing.insert(task, now).is_none();
        drop(failing);
        if is_first {
            TASK.within(|| (self.tell)(task, Some(cause)));
        }
    }

    fn given_up(&self, task: &'static str, asked: Duration, now: Duration) {
        if now.saturating_sub(asked) >= GIVEN_UP_AFTER {
            self.failed(task, &Unanswered, now);
        }
    }

    fn answered(&self, task: &'static str, now: Duration) {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |last: &Duration| now.saturating_sub(*last) >= CALM;
        if !failing.get(task).is_some_and(is_over) {
            return;
        }
        failing.remove(task);
        drop(failing);
        TASK.within(|| (self.tell)(task, None));
    }
}

/// A question; dropped before the answer, it had none.
struct Asked<'a> {
    outages: &'a Outages,
    task: &'static str,
    /// None once it is answered.
    at: Option<Duration>,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if let Some(at) = self.at {
            self.outages
                .given_up(self.task, at, SystemClock.monotonic());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    thread_local! {
        static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    fn tell(task: &'static str, cause: Option<&(dyn Error + 'static)>) {
        let text = cause.map_or_else(|| "works".to_owned(), ToString::to_string);
        TOLD.with_borrow_mut(|told| told.push(format!("{task}: {text}")));
    }

    fn told() -> Vec<String> {
        TOLD.take()
    }

    #[test]
    fn an_outage_is_told_when_it_begins_and_when_it_is_over_for_each_task() {
        let outages = Outages::new(tell);
        let at = Duration::from_secs;
        outages.answered("load", at(0));
        assert_eq!(told(), [""; 0]);
        for second in [1, 2, 3] {
            outages.failed("load", &Unanswered, at(second));
        }
        outages.failed("follow", &Unanswered, at(3));
        let text = "there was no answer in time";
        assert_eq!(told(), [format!("load: {text}"), format!("follow: {text}")]);
        // Now and then it works.
        for second in [4, 12] {
            outages.answered("load", at(second));
        }
        outages.failed("load", &Unanswered, at(13));
        outages.answered("load", at(22));
        assert_eq!(told(), [""; 0]);
        outages.answered("load", at(23));
        outages.answered("load", at(24));
        assert_eq!(told(), ["load: works"]);
        outages.failed("load", &Unanswered, at(25));
        assert_eq!(told(), [format!("load: {text}")]);
    }

    #[tokio::test]
    async fn a_question_that_is_given_up_was_not_answered() {
        let outages = Outages::new(tell);
        let never = || std::future::pending::<Result<(), Unanswered>>();
        let at_once = tokio::time::timeout(Duration::ZERO, outages.watch("load", never()));
        at_once.await.unwrap_err();
        assert_eq!(told(), [""; 0], "somebody hung up");
        let almost = GIVEN_UP_AFTER - Duration::from_nanos(1);
        outages.given_up("load", Duration::ZERO, almost);
        assert_eq!(told(), [""; 0]);
        outages.given_up("load", Duration::ZERO, GIVEN_UP_AFTER);
        assert_eq!(told(), ["load: there was no answer in time"]);
    }
}
