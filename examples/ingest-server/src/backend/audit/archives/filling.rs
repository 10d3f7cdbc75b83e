//! Brings what is new in the log of this process into its archive, once an hour.

use std::{
    error::Error,
    future::pending,
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
    time::{Duration, SystemTime},
};

use portcullis_audit_log::{
    archive::ArchiveError,
    audit::{ARCHIVE_CURSOR, Audit},
    checkpoint::InvalidPolicy,
    event::Leaf,
    note::{InvalidKeyName, KeyName, VerifyingKey},
    sink::RetrySchedule,
    store::{Store, StoreError},
};
use portcullis_telemetry::BackgroundTask;
use tokio::time::{sleep, timeout};

use super::{LogArchive, UnusableArchive};
use crate::{
    audit::{ArchiveGauge, AuditFolder, EarlierLog, EarlierLogError},
    clock::Clock,
    config::ArchivePlace,
};

const TASK: BackgroundTask = BackgroundTask::new("audit_archive");

/// From the end of one filling to the next.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// How often it is looked since when something waits.
const LOOK: Duration = Duration::from_secs(10);

/// Why a log was not archived.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FillError {
    #[error(transparent)]
    Unusable(#[from] UnusableArchive),
    #[error(transparent)]
    Fill(#[from] ArchiveError),
    #[error("the keys of the audit log cannot verify it")]
    Keys(#[from] InvalidPolicy),
    #[error("the name of the audit log cannot be used")]
    Name(#[from] InvalidKeyName),
    #[error("a log that this one has followed does not open")]
    Earlier(#[from] EarlierLogError),
}

/// What is brought where.
pub(in super::super) struct Filling {
    audit: Audit,
    keys: Vec<VerifyingKey>,
    archive: LogArchive,
    gauge: ArchiveGauge,
    earlier: Option<Earlier>,
}

/// The logs that it has followed.
struct Earlier {
    place: ArchivePlace,
    folder: AuditFolder,
    base: KeyName,
}

/// Fills an archive, if there is one, for ever.
pub(in super::super) async fn archive(filling: Option<Filling>) {
    let Some(filling) = filling else {
        return pending().await;
    };
    let mut failed = 0;
    loop {
        let delay = match TASK.run(filling.fill()).await {
            Ok(entries) => {
                filling.gauge.filled(entries);
                if failed > 0 {
                    TASK.within(|| tracing::info!("the audit log is archived again"));
                }
                failed = 0;
                // What is wrong with those keeps nobody from the latest.
                if let Err(error) = TASK.run(filling.fill_earlier()).await {
                    tell(&error);
                }
                EVERY
            }
            Err(error) => {
                filling.gauge.failed();
                failed += 1;
                if failed == 1 {
                    tell(&error);
                }
                RetrySchedule::for_ever().delay(failed).unwrap_or(EVERY)
            }
        };
        let _ = timeout(delay, filling.look()).await;
    }
}

impl Filling {
    /// Of a log that is verified with these keys.
    pub(in super::super) fn new(
        audit: Audit,
        keys: Vec<VerifyingKey>,
        archive: LogArchive,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let gauge = ArchiveGauge::new(&archive.url(), clock);
        Self {
            audit,
            keys,
            archive,
            gauge,
            earlier: None,
        }
    }

    /// With the logs of `base` that it has followed, each of which has an archive of its own.
    pub(in super::super) fn earlier(
        self,
        place: &ArchivePlace,
        folder: &AuditFolder,
        base: &KeyName,
    ) -> Self {
        let earlier = Earlier {
            place: place.clone(),
            folder: folder.clone(),
            base: base.clone(),
        };
        Self {
            earlier: Some(earlier),
            ..self
        }
    }

    /// How far it has come.
    pub(in super::super) fn gauge(&self) -> ArchiveGauge {
        self.gauge.clone()
    }

    /// Brings there what is new, and gives how many entries are there.
    async fn fill(&self) -> Result<u64, FillError> {
        // Where none can be published, there is one from a minute before.
        let _ = self.audit.checkpoint().await;
        self.archive.fill(self.audit.store(), &self.keys).await
    }

    async fn fill_earlier(&self) -> Result<(), FillError> {
        let Some(Earlier {
            place,
            folder,
            base,
        }) = &self.earlier
        else {
            return Ok(());
        };
        let filling = |logs: Vec<(NonZeroU32, Arc<dyn Store>)>| async {
            for (number, log) in logs {
                let archive = LogArchive::new(place, folder.own(), number);
                let origin = EarlierLog::origin(number, base)?;
                let keys: Vec<_> = self
                    .keys
                    .iter()
                    .map(|key| key.with_name(origin.clone()))
                    .collect();
                archive.fill(&log, &keys).await?;
            }
            Ok(())
        };
        folder.with_earlier(filling).await?
    }

    /// Looks since when something waits, until it is dropped.
    async fn look(&self) {
        loop {
            if !self.gauge.is_waiting()
                && let Ok((entries, since)) = waiting(&**self.audit.store()).await
            {
                self.gauge.waits(entries, since);
            }
            sleep(LOOK).await;
        }
    }
}

/// How many entries are archived, and when the next one was recorded.
async fn waiting(log: &dyn Store) -> Result<(u64, Option<SystemTime>), StoreError> {
    let archived = log.cursor(&ARCHIVE_CURSOR).await?.unwrap_or(0);
    let from = archived.max(log.first().await?);
    let batch = log.entries(from, NonZeroUsize::MIN).await?;
    let leaf = batch.iter().next().map(|(_, bytes)| Leaf::parse(bytes));
    let leaf = leaf.transpose().map_err(StoreError::damaged)?;
    let since =
        leaf.map(|leaf| SystemTime::UNIX_EPOCH + Duration::from_micros(leaf.time().unix_micros()));
    Ok((archived, since))
}

fn tell(error: &FillError) {
    TASK.within(|| {
        tracing::warn!(
            error = error as &dyn Error,
            "the audit log was not archived, and is tried again: nothing is taken out of it meanwhile"
        );
    });
}
