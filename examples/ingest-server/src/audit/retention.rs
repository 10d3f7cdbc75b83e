//! How long entries are kept, and what lies beside them.

use std::{error::Error, num::NonZeroU32, sync::Arc, time::Duration};

use portcullis_audit_log::{
    audit::{Audit, Retention},
    store::Store,
};
use portcullis_telemetry::BackgroundTask;

use super::AuditFolder;

const TASK: BackgroundTask = BackgroundTask::new("audit_retention");

/// From one look to the next.
const EVERY: Duration = Duration::from_secs(60 * 60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long entries are kept, and what lies beside them: for ever under a legal hold.
pub(crate) fn retention(days: NonZeroU32, personal_days: NonZeroU32, is_held: bool) -> Retention {
    Retention::default()
        .leaves(DAY * days.get())
        .personal(DAY * personal_days.get())
        .held(is_held)
}

/// Takes away what is older than so many days, entries and what lies beside them, until it is dropped; for whom entries
/// are held longer is asked each time. That something went is on record.
pub(crate) async fn retain(
    audit: Audit,
    folder: AuditFolder,
    ages: Retention,
    held: impl Fn(Retention) -> Retention,
) {
    loop {
        TASK.run(retain_once(&audit, &folder, &ages, &held)).await;
        tokio::time::sleep(EVERY).await;
    }
}

async fn retain_once(
    audit: &Audit,
    folder: &AuditFolder,
    ages: &Retention,
    held: &impl Fn(Retention) -> Retention,
) {
    if let Err(error) = audit.retain(&held(ages.clone())).await {
        tell(&error);
    }
    // Of those, nobody gets any more what they have not got.
    let earlier = match folder.earlier() {
        Ok(earlier) => earlier,
        Err(error) => return tell(&error),
    };
    let retaining = async |earlier: Vec<Arc<dyn Store>>| {
        for store in earlier {
            if let Err(error) = audit.retain_in(&*store, ages).await {
                tell(&error);
            }
        }
    };
    let ((), opened) = folder.with_earlier(&earlier, retaining).await;
    if let Err(error) = opened {
        tell(&error);
    }
}

fn tell(error: &(dyn Error + 'static)) {
    tracing::warn!(
        error,
        "entries of the audit log that are too old were not taken away"
    );
}

#[cfg(test)]
mod tests {
    use portcullis_audit_log::{
        audit::Generation,
        clock::{Clock, SystemClock},
        event::{
            Action, Activity, Actor, ActorType, Delivery, EventBuilder, EventId, Id, Stamp,
            Timestamp,
        },
        note::{KeyName, SigningKey},
        store::{Group, MemoryStore},
    };
    use secrecy::SecretBox;

    use super::*;
    use crate::audit::CurrentLog;

    /// An entry of 2026, with something beside it.
    async fn fill(store: &dyn Store) {
        let tenant = Id::constant("acme");
        let appending = store.lock(std::slice::from_ref(&tenant)).await.unwrap();
        let mut group = Group::new(appending.state());
        let actor = Actor::new(ActorType::Anonymous, Id::constant("anonymous"));
        let event = EventBuilder::new(tenant, Action::new("lead.read"), Activity::Read, actor);
        let time = Timestamp::from_unix_micros(1_767_225_600_000_000).unwrap();
        let (id, node) = (EventId::new(time, [7; 10]), Id::constant("a"));
        let event = event.build(Stamp::new(id, time, Delivery::Must, node));
        let pushed = group.push(&event.unwrap(), Some(vec![7]));
        pushed.unwrap();
        appending.commit(&group).await.unwrap();
    }

    #[tokio::test]
    async fn a_hold_keeps_what_is_too_old_here_and_in_the_logs_that_this_one_has_followed() {
        let all = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let process = all.path().join("server");
        let (first, store) = CurrentLog::open(&process, &clock).await.unwrap();
        fill(&store).await;
        store.close().await.unwrap();
        let begun = "portcullis/audit/generation/v1\n2\n\
                     known 1 3 usClIbbDnMnAAq0ZnmLjWNIEklVUBhfsJvGeKtse1cA=\n\
                     kept 1 2 CAk3O+MgRVYrpScI5Oo6tXgw2+wFVCTQ6cWOMOi9M0U=\n";
        let begun: Generation = begun.parse().unwrap();
        first.begin(&begun).unwrap();
        let folder = AuditFolder::new(all.path().to_owned(), "server".to_owned());
        let part_of_earlier = async || {
            let reading = async |stores: Vec<Arc<dyn Store>>| stores[0].personal(0).await.unwrap();
            let earlier = folder.earlier().unwrap();
            folder.with_earlier(&earlier, reading).await.0
        };

        let own = MemoryStore::new();
        fill(&own).await;
        let origin: KeyName = "test.example/audit".parse().unwrap();
        let seed = SecretBox::new(Box::new([7; 32]));
        let key = SigningKey::from_seed(origin.clone(), &seed).unwrap();
        let builder = Audit::builder(Arc::new(own.clone()), origin, Id::constant("a")).key(key);
        let (audit, writing) = builder.open().await.unwrap();
        let writing = tokio::spawn(writing);
        // What follows a log says more of how long entries stay, and nothing of the hold.
        let followed = |ages: Retention| ages.follower(Id::constant("sink"));
        for (is_held, left) in [(true, Some(vec![7])), (false, None)] {
            let ages = retention(NonZeroU32::MIN, NonZeroU32::MIN, is_held);
            let ages = ages.personal(Duration::ZERO).clock_confirmed(true);
            retain_once(&audit, &folder, &ages, &followed).await;
            assert_eq!(own.personal(0).await.unwrap(), left, "{is_held}");
            assert_eq!(part_of_earlier().await, left, "{is_held}");
        }
        audit.close();
        writing.await.unwrap();
    }
}
