//! Brings what is new in the log of this process into its archive, once an hour.

use std::{
    error::Error,
    future::pending,
    num::NonZeroUsize,
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
    store::{Store, StoreError, cursor_in_log},
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

/// How long a log that this one has followed is held at a time.
const MOST_HELD: Duration = Duration::from_secs(10);

/// Why a log was not archived.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FillError {
    #[error(transparent)]
    Unusable(#[from] UnusableArchive),
    #[error(transparent)]
    Fill(#[from] ArchiveError),
    #[error(
        "the archive has {size} entries of it, and the last {ahead} of them are gone from the log: its end was cut, or an \
         old copy was put back"
    )]
    Ahead { size: u64, ahead: u64 },
    #[error("the keys of the audit log cannot verify it")]
    Keys(#[from] InvalidPolicy),
    #[error("the name of the audit log cannot be used")]
    Name(#[from] InvalidKeyName),
    #[error("a log that this one has followed does not open")]
    Earlier(#[from] EarlierLogError),
    #[error("it took longer than others may be kept waiting, and is gone on with in an hour")]
    TooLong,
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
                TASK.run(filling.fill_earlier()).await;
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

impl Earlier {
    async fn fill(&self, log: &EarlierLog, keys: &[VerifyingKey]) -> Result<(), FillError> {
        let archive = LogArchive::new(&self.place, self.folder.own(), log.number).followed();
        let origin = EarlierLog::origin(log.number, &self.base)?;
        let keys = keys.iter().map(|key| key.with_name(origin.clone()));
        let keys: Vec<_> = keys.collect();
        let filling = async |stores: Vec<Arc<dyn Store>>| {
            for store in &stores {
                let filling = archive.fill(store, &keys);
                // Who erases waits meanwhile.
                let filled = timeout(MOST_HELD, filling).await;
                filled.map_err(|_| FillError::TooLong)??;
            }
            Ok(())
        };
        let logs = std::slice::from_ref(log);
        let (filled, opened) = self.folder.with_earlier(logs, filling).await;
        opened?;
        filled
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

    /// Brings there what those have more, each for itself: what is wrong with one keeps nobody from the others.
    async fn fill_earlier(&self) {
        let Some(earlier) = &self.earlier else {
            return;
        };
        let logs = match earlier.folder.earlier() {
            Ok(logs) => logs,
            Err(error) => return tell(&EarlierLogError::from(error).into()),
        };
        for log in &logs {
            if let Err(error) = earlier.fill(log, &self.keys).await {
                self.gauge.failed();
                tell(&error);
            }
        }
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
    let (archived, _) = cursor_in_log(log, &ARCHIVE_CURSOR).await?;
    let archived = archived.unwrap_or(0);
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
