//! Suspicious access, found in what is recorded and put on record itself.

use std::{convert::Infallible, error::Error, net::IpAddr, num::NonZeroUsize, time::Duration};

use portcullis_audit_log::{
    audit::{Audit, Recorded, Unrecorded},
    clock::{Clock, timestamp},
    entropy::{EntropyError, SystemEntropy},
    event::{Id, Leaf, Personal, Timestamp},
    rule::{Finding, NetworkHash, NetworkHasher, RuleSettings, Rules},
    store::{EntryBatch, Store, StoreError, cursor_in_log, first_since},
};
use portcullis_telemetry::BackgroundTask;
use tokio::time::{sleep, timeout};

use super::{Suspicions, cursor_beyond};
use crate::json;

const TASK: BackgroundTask = BackgroundTask::new("audit_rules");

/// How far the rules have looked.
static CURSOR: Id = Id::constant("rules");

/// How far back they look after a start, to know how each actor works as a rule.
const REMEMBERED: Duration = Duration::from_secs(28 * 24 * 60 * 60);

/// How far back they look in a log that they see for the first time after its process has ended.
const FIRST_LOOK: Duration = Duration::from_secs(60 * 60);

/// How far back they look where their cursor cannot be one of the log.
const SET_BACK: Duration = Duration::from_secs(10 * 60);

/// How often a store is asked, each second, that is busy or away, before that is told.
const ATTEMPTS: u32 = 30;

/// From one look to the next while nothing is new, and while the log cannot be read or written.
const POLL: Duration = Duration::from_secs(1);
const READ_BYTES: NonZeroUsize = NonZeroUsize::new(256 * 1_024).expect("it is not zero");

/// How long the address of an event is waited for, which a key provider opens. The event is looked at in any case.
const ADDRESS_WAIT: Duration = Duration::from_millis(500);

/// Looks at a log as it grows.
#[derive(Debug)]
struct Watch<'a> {
    audit: &'a Audit,
    store: &'a dyn Store,
    rules: Rules,
    networks: NetworkHasher,
    suspicions: Suspicions,
}

/// Why it is looked at no more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WatchEnd {
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Unrecorded(#[from] Unrecorded),
}

/// Looks at what is recorded until it is dropped. What is found is on record as `audit.suspicious`, and counted.
pub(crate) async fn watch(audit: Audit, clock: &dyn Clock, suspicions: Suspicions) -> Infallible {
    loop {
        let Err(end) = watched(&audit, clock, &suspicions).await;
        TASK.within(|| {
            tracing::error!(
                error = &end as &dyn Error,
                "the audit log was not looked at for suspicious access, and will be again in a minute"
            );
        });
        sleep(Duration::from_secs(60)).await;
    }
}

/// Looks at what is new in a log whose process has ended. What is found is on record in `audit`, and counted.
///
/// # Errors
/// [`WatchEnd`]; the next look begins where this one ended.
pub(crate) async fn watch_ended(
    audit: &Audit,
    store: &dyn Store,
    clock: &dyn Clock,
    suspicions: &Suspicions,
) -> Result<(), WatchEnd> {
    let (mut watch, now) = (Watch::new(audit, store, suspicions)?, timestamp(clock));
    let size = store.size().await?;
    let (next, beyond) = cursor_in_log(store, &CURSOR).await?;
    if let Some(found) = beyond {
        TASK.within(|| cursor_beyond(&CURSOR, found));
    }
    let next = match next {
        Some(next) => next.max(store.first().await?),
        None => watch.first_since(FIRST_LOOK, size, now).await?,
    };
    watch.remember(next, now).await?;
    let mut at = next;
    while at < size {
        let batch = store.entries(at, READ_BYTES).await?;
        if batch.is_empty() {
            break;
        }
        TASK.run(watch.look_at(&batch)).await?;
        at = batch.next();
    }
    Ok(())
}

async fn watched(
    audit: &Audit,
    clock: &dyn Clock,
    suspicions: &Suspicions,
) -> Result<Infallible, WatchEnd> {
    let mut watch = Watch::new(audit, &**audit.store(), suspicions)?;
    let now = timestamp(clock);
    let next = watch.start(now).await?;
    watch.remember(next, now).await?;
    watch.follow(next).await
}

impl<'a> Watch<'a> {
    fn new(
        audit: &'a Audit,
        store: &'a dyn Store,
        suspicions: &Suspicions,
    ) -> Result<Self, EntropyError> {
        Ok(Self {
            audit,
            store,
            rules: Rules::new(RuleSettings::new()),
            networks: NetworkHasher::new(&SystemEntropy::new())?,
            suspicions: suspicions.clone(),
        })
    }

    /// Where the rules go on.
    async fn start(&self, now: Timestamp) -> Result<u64, StoreError> {
        let (next, beyond) = patiently(|| cursor_in_log(self.store, &CURSOR)).await?;
        if let Some(next) = next {
            return Ok(next);
        }
        let size = patiently(|| self.store.size()).await?;
        let next = match beyond {
            // What was there before there were rules is what they know, and no finding.
            None => size,
            Some(found) => {
                TASK.within(|| cursor_beyond(&CURSOR, found));
                patiently(|| self.first_since(SET_BACK, size, now)).await?
            }
        };
        self.move_to(next).await?;
        Ok(next)
    }

    async fn move_to(&self, next: u64) -> Result<(), StoreError> {
        patiently(|| self.store.move_cursor(&CURSOR, next)).await
    }

    /// Shows the rules what there is before a leaf; what they find was found before.
    async fn remember(&mut self, end: u64, now: Timestamp) -> Result<(), StoreError> {
        let mut next = patiently(|| self.first_since(REMEMBERED, end, now)).await?;
        while next < end {
            let batch = patiently(|| self.store.entries(next, READ_BYTES)).await?;
            if batch.is_empty() {
                break;
            }
            for (_, bytes) in batch.iter().take_while(|(n, _)| *n < end) {
                let leaf = Leaf::parse(bytes).map_err(StoreError::damaged)?;
                drop(self.rules.observe(&leaf, None));
            }
            next = batch.next();
        }
        Ok(())
    }

    /// The first leaf before `end` that is young enough, or `end`.
    async fn first_since(
        &self,
        age: Duration,
        end: u64,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let age = u64::try_from(age.as_micros()).unwrap_or(u64::MAX);
        let earliest = Timestamp::from_unix_micros(now.unix_micros().saturating_sub(age));
        Ok(first_since(self.store, earliest.unwrap_or(now))
            .await?
            .min(end))
    }

    async fn follow(&mut self, mut next: u64) -> Result<Infallible, WatchEnd> {
        loop {
            let entries = patiently(|| self.store.entries(next, READ_BYTES));
            let batch = match entries.await {
                Ok(batch) => batch,
                Err(StoreError::Pruned { first }) if first > next => {
                    next = first;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if batch.is_empty() {
                sleep(POLL).await;
                continue;
            }
            TASK.run(self.look_at(&batch)).await?;
            next = batch.next();
        }
    }

    async fn look_at(&mut self, batch: &EntryBatch) -> Result<(), WatchEnd> {
        for (n, bytes) in batch.iter() {
            let leaf = Leaf::parse(bytes).map_err(StoreError::damaged)?;
            let network = self.network_of(&leaf).await;
            let findings = self.rules.observe(&leaf, network);
            for finding in &findings {
                self.record(finding).await?;
            }
            if !findings.is_empty() {
                // Found once, also if the process ends now.
                self.move_to(n + 1).await?;
            }
        }
        Ok(self.move_to(batch.next()).await?)
    }

    /// The network that it was asked from, which is kept nowhere but in the memory of the rules, as a hash.
    async fn network_of(&self, leaf: &Leaf<'_>) -> Option<NetworkHash> {
        leaf.personal()?;
        let personal = timeout(ADDRESS_WAIT, self.audit.personal_in(self.store, leaf)).await;
        let address = address_in(&personal.ok()?.ok()??)?;
        Some(self.networks.hash(address))
    }

    /// Puts a finding on record, as soon as the log can be written.
    async fn record(&self, finding: &Finding) -> Result<(), Unrecorded> {
        let recorded = loop {
            match self.audit.record(finding.event(), None).await {
                Err(Unrecorded::TimedOut | Unrecorded::Unavailable) => sleep(POLL).await,
                recorded => break recorded?,
            }
        };
        self.suspicions.add(finding.rule);
        tell(finding, recorded);
        Ok(())
    }
}

/// Asks a store again that cannot be asked for a while, such as a database that is busy.
async fn patiently<T, F>(ask: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    for _ in 1..ATTEMPTS {
        match ask().await {
            Err(StoreError::Unavailable(_)) => sleep(POLL).await,
            answer => return answer,
        }
    }
    ask().await
}

fn tell(finding: &Finding, Recorded { n, .. }: Recorded) {
    let rule = finding.rule;
    if rule.is_urgent() {
        tracing::warn!(%rule, n, "suspicious access: look at it now, in the audit log");
    } else {
        tracing::info!(%rule, n, "suspicious access: look at it in the audit log");
    }
}

fn address_in(personal: &Personal) -> Option<IpAddr> {
    let personal: serde_json::Value = json::read(personal.json().as_bytes()).ok()?;
    personal["ip"].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests;
