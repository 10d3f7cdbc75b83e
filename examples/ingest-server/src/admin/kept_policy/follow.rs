//! Taking over what somebody else changes where a policy is kept: in the file, or another process in the
//! database.

use std::time::Duration;

use portcullis_telemetry::BackgroundTask;
use tokio::task::spawn_blocking;

use super::{InForce, Kept, KeptPolicy, ReplaceError, Seen};
use crate::{
    admin::{ActionResult, Actor},
    store::PolicyKind,
};

/// How often the file is looked at, so that a change holds within a second, and the database: a look takes
/// less than 0.2 ms of processor time, in a build without optimisations.
const LOOK_AT_FILE: Duration = Duration::from_millis(400);
const LOOK_AT_ROW: Duration = Duration::from_secs(1);

const fn task(kind: PolicyKind) -> BackgroundTask {
    BackgroundTask::new(match kind {
        PolicyKind::Limits => "follow_limits",
        PolicyKind::Detection => "follow_detection_policy",
    })
}

impl<P: InForce> KeptPolicy<P> {
    /// Takes over what is kept whenever somebody else changes that; what cannot be used leaves the
    /// policy before in force.
    pub(in crate::admin) async fn follow(self) {
        let every = match self.file {
            Some(_) => LOOK_AT_FILE,
            None => LOOK_AT_ROW,
        };
        loop {
            task(P::KIND).run(self.look()).await;
            tokio::time::sleep(every).await;
        }
    }

    /// A file may be caught while somebody writes it, so that what it holds counts once two looks in a row
    /// find the same.
    async fn look(&self) {
        let mut seen = self.seen.lock().await;
        let Some(kept) = self.kept().await else {
            return;
        };
        if seen.settled.as_ref() == Some(&kept) {
            seen.glimpsed = None;
            return;
        }
        if self.file.is_some() && seen.glimpsed.as_ref() != Some(&kept) {
            seen.glimpsed = Some(kept);
            seen.is_told = false;
            return;
        }
        let (actor, policy) = match (&kept, &self.file) {
            (Kept::File(text), Some(file)) => {
                let policy = file.policy(text).map_err(|error| error.to_string());
                (P::FILE, policy)
            }
            (Kept::Row(row), _) => (Actor::Database, P::read_stored(row.as_deref())),
            (Kept::File(_), None) => return,
        };
        match policy {
            Ok(policy) => {
                if !self.in_force.is_in_force(&policy) {
                    let taken = self.take_over(&actor, &policy).await;
                    if taken.is_ok() || !seen.is_told {
                        let result = ActionResult::of_read(&taken);
                        self.report(&actor, P::action(Some(&policy)), result);
                    }
                    if let Err(error) = taken {
                        // The next look tries again, or finds it in force already.
                        if !seen.is_told {
                            self.tell_untaken(&policy, &error);
                        }
                        seen.is_told = true;
                        return;
                    }
                }
                self.tell(self.source_of(!matches!(kept, Kept::Row(None))));
            }
            Err(problem) => {
                let kind = P::KIND.as_str();
                tracing::error!(kind, error = %problem, "the policy cannot be used, the one before stays in force");
                self.reject(&actor);
                self.tell(self.source().with_problem(problem));
            }
        }
        *seen = Seen {
            settled: Some(kept),
            ..Seen::default()
        };
    }

    fn tell_untaken(&self, policy: &P::Policy, error: &ReplaceError) {
        let what = if self.in_force.is_in_force(policy) {
            "the changed policy is in force, and on record as begun alone"
        } else {
            "the changed policy is not in force yet; it is tried again until it is"
        };
        let error = error as &dyn std::error::Error;
        tracing::error!(error, kind = P::KIND.as_str(), "{what}");
    }

    /// What stands where the policy is kept. A database that does not answer is told of by those who
    /// need it more.
    async fn kept(&self) -> Option<Kept> {
        match self.file.clone() {
            Some(file) => {
                let text = spawn_blocking(move || file.text()).await;
                text.ok().map(Kept::File)
            }
            None => self.store.policy(P::KIND).await.ok().map(Kept::Row),
        }
    }

    /// What another process kept in the database is on record there already.
    async fn take_over(&self, actor: &Actor, policy: &P::Policy) -> Result<(), ReplaceError> {
        if self.file.is_some() {
            return self.put_on_record(actor, policy, async { Ok(()) }).await;
        }
        self.in_force.put_in_force(policy);
        Ok(())
    }
}
