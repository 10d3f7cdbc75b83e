//! Who rotates the index: one process does at a time, says so in the database while it is at it, and how far it has
//! come; others follow that, and take over from one that says nothing any more.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_keyring::sweep::Progress;
use portcullis_pii_crypto::IndexVersion;
use serde::{Deserialize, Serialize};

use crate::{
    admin::Actor,
    clock::Clock,
    json,
    store::{StoreError, Sweeping},
    timestamp,
};

/// A rotation that a process is at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RotationUnderWay {
    pub(crate) version: u16,
    /// Who began it, as the audit log has it.
    pub(crate) by: String,
    /// The number of its process, on its host.
    pub(crate) process: u32,
    pub(crate) since: String,
    /// When it last said so.
    pub(crate) seen: String,
    /// What it is at.
    pub(crate) at: String,
    pub(crate) done: u64,
    pub(crate) total: u64,
}

/// Tells who rotates.
#[derive(Debug, Clone)]
pub(super) struct Claims {
    pub(super) sweeps: Arc<dyn Sweeping>,
    pub(super) clock: Arc<dyn Clock>,
}

/// Held by who rotates, who has to [`keep`](Self::keep) it.
#[derive(Debug)]
pub(super) struct Claim {
    claims: Claims,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    now: RotationUnderWay,
    /// As the database has it.
    written: String,
}

/// What others have said, and for how long nothing else.
#[derive(Debug, Default)]
pub(super) struct Heard(Option<(String, Duration)>);

const WORK: &str = "index rotation";
/// From one word of who rotates to the next.
const SAY_EVERY: Duration = Duration::from_secs(2);
/// Who has said nothing for so long is not at it any more.
const SILENT: Duration = Duration::from_secs(15);

impl Claims {
    /// Who rotates now.
    pub(super) async fn present(&self) -> Result<Option<RotationUnderWay>, StoreError> {
        let words = self.sweeps.at_work(WORK).await?;
        let found = words.as_deref().and_then(RotationUnderWay::read);
        Ok(found.filter(|found| !self.is_silent(found)))
    }

    /// Begins to rotate, unless somebody else is at it. Of one whose time is ahead it is known after a while whether
    /// it says anything: `heard` has what it said.
    pub(super) async fn take(
        &self,
        actor: &Actor,
        version: IndexVersion,
        heard: &mut Heard,
    ) -> Result<Result<Claim, RotationUnderWay>, StoreError> {
        let words = self.sweeps.at_work(WORK).await?;
        let other = words.as_deref().and_then(RotationUnderWay::read);
        let is_silent = heard.is_silent(words.as_deref(), self.clock.monotonic());
        if let Some(other) = other
            && !is_silent
            && !self.is_silent(&other)
        {
            return Ok(Err(other));
        }
        let now = timestamp::format(self.clock.wall());
        let begun = RotationUnderWay {
            version: version.value(),
            by: actor.id(),
            process: std::process::id(),
            since: now.clone(),
            seen: now,
            at: format!("index to version {version}"),
            done: 0,
            total: 0,
        };
        let written = begun.words();
        let replaced = self
            .sweeps
            .replace_at_work(WORK, words.as_deref(), Some(&written));
        if !replaced.await? {
            // Somebody was first, and says who it is from now on.
            let first = self.sweeps.at_work(WORK).await?;
            let first = first.as_deref().and_then(RotationUnderWay::read);
            return Ok(Err(first.unwrap_or(begun)));
        }
        let held = Held {
            now: begun,
            written,
        };
        Ok(Ok(Claim {
            claims: self.clone(),
            held: Mutex::new(held),
        }))
    }

    fn is_silent(&self, of: &RotationUnderWay) -> bool {
        let age = timestamp::parse(&of.seen).map(|seen| self.clock.wall() - seen);
        age.is_none_or(|age| age >= SILENT)
    }
}

impl Claim {
    /// Notes how far it has come, for the next word.
    pub(super) fn report(&self, at: &str, progress: &Progress) {
        let mut held = self.held();
        held.now.at = at.to_owned();
        held.now.done = progress.done;
        held.now.total = progress.total;
    }

    /// Says again and again that somebody is at it, until another has taken over.
    pub(super) async fn keep(&self) {
        loop {
            match self.say().await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "others are not told how far the rotation has come");
                }
            }
            tokio::time::sleep(SAY_EVERY).await;
        }
    }

    /// Is at it no more. Where that cannot be said, others find out by the silence.
    pub(super) async fn release(self) {
        let written = self.held().written.clone();
        let sweeps = &self.claims.sweeps;
        let released = sweeps.replace_at_work(WORK, Some(&written), None);
        if let Err(error) = released.await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "others are not told that the rotation has ended");
        }
    }

    async fn say(&self) -> Result<bool, StoreError> {
        let (before, new) = {
            let mut held = self.held();
            held.now.seen = timestamp::format(self.claims.clock.wall());
            (held.written.clone(), held.now.words())
        };
        let sweeps = &self.claims.sweeps;
        let replaced = sweeps.replace_at_work(WORK, Some(&before), Some(&new));
        let is_kept = replaced.await?;
        if is_kept {
            self.held().written = new;
        }
        Ok(is_kept)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    /// Whether the same words were there for so long that nobody says any.
    fn is_silent(&mut self, words: Option<&str>, now: Duration) -> bool {
        match (&self.0, words) {
            (Some((known, since)), Some(words)) if known == words => {
                now.saturating_sub(*since) >= SILENT
            }
            (_, words) => {
                self.0 = words.map(|words| (words.to_owned(), now));
                false
            }
        }
    }
}

impl RotationUnderWay {
    /// How far it has come.
    pub(crate) fn progress(&self) -> Progress {
        let mut progress = Progress::default();
        progress.done = self.done;
        progress.total = self.total;
        progress
    }

    fn words(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are JSON")
    }

    /// None of what a later version may have written.
    fn read(words: &str) -> Option<Self> {
        let value = json::read(words.as_bytes()).ok()?;
        serde_json::from_value(value).ok()
    }
}

/// To which version, by whom, and since when.
impl fmt::Display for RotationUnderWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            version,
            by,
            process,
            since,
            ..
        } = self;
        write!(
            f,
            "a rotation of the index to version {version} is under way, by {by} in process {process} since {since}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_the_same_for_15_s_says_nothing() {
        let mut heard = Heard::default();
        let at = Duration::from_secs;
        assert!(!heard.is_silent(Some("a"), at(0)));
        assert!(!heard.is_silent(Some("a"), at(14)));
        assert!(heard.is_silent(Some("a"), at(15)));
        assert!(!heard.is_silent(Some("b"), at(15)));
        assert!(!heard.is_silent(None, at(40)));
        assert!(!heard.is_silent(Some("b"), at(41)));
    }

    #[test]
    fn words_are_read_back_and_others_are_not() {
        let one = RotationUnderWay {
            version: 2,
            by: "command-line:0".to_owned(),
            process: 7,
            since: "2026-11-26T19:00:00.000Z".to_owned(),
            seen: "2026-11-26T19:00:02.000Z".to_owned(),
            at: "lead".to_owned(),
            done: 3,
            total: 9,
        };
        assert_eq!(RotationUnderWay::read(&one.words()), Some(one));
        for other in ["", "x", "{}", "[]"] {
            assert_eq!(RotationUnderWay::read(other), None, "{other}");
        }
    }
}
