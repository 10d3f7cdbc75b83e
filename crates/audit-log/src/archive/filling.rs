//! What is new in a log, put into its archive.

use std::sync::Arc;

use tokio::{
    runtime::Handle,
    task::{JoinError, JoinSet, spawn_blocking},
};

use super::{Archive, ArchiveError, ArchiveSource, CHECKPOINTS, name_of};
use crate::{
    audit::ARCHIVE_CURSOR,
    checkpoint::{Checkpoint, Policy, SignedCheckpoint},
    source::StoreSource,
    store::Store,
    tile::{TileKind, TilePath, WIDTH},
    verify::{Outcome, Verification},
};

/// What an archive has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Archived {
    /// The size of the largest tree that it was filled up to; 0 before the first.
    pub size: u64,
    /// How many objects were put there by this call.
    pub objects: u64,
    /// How many entries it has that the log has not: of a log that is still written, those were cut off; of one that
    /// another has followed since its copy was put back, they are kept here alone.
    pub ahead: u64,
}

/// How many objects are written at once.
const AT_ONCE: usize = 16;
const WIDE: u64 = WIDTH as u64;

impl Archive {
    /// Puts into the archive what the published log has more than it: tiles and bundles first, the checkpoint last, so
    /// that whatever ends this leaves an archive that is sound at the checkpoint before. The next call goes on.
    ///
    /// What is new is verified before: that it is in the signed tree, which is a continuation of what was archived. A
    /// witness need not have signed: `policy` may ask for none. Bundles that were pruned before are left out.
    ///
    /// Where the archive has all of the log and more, which is a continuation of it, nothing is put there, and
    /// [`Archived::ahead`] says how much more.
    ///
    /// At last the cursor of the archive is moved, which [`Retention::archived`](crate::audit::Retention::archived) looks
    /// at.
    ///
    /// # Errors
    /// [`ArchiveError`]: [`Different`](ArchiveError::Different) if something else is in its place,
    /// [`Unsound`](ArchiveError::Unsound) if the log is not what was signed or archived.
    pub async fn fill(
        &self,
        log: &Arc<dyn Store>,
        policy: &Policy,
    ) -> Result<Archived, ArchiveError> {
        let kept = match self.checkpoint().await? {
            Some(note) => Some(
                policy
                    .open(note.to_string().as_bytes())
                    .map_err(ArchiveError::OtherLog)?
                    .checkpoint()
                    .clone(),
            ),
            None => None,
        };
        let from = kept.as_ref().map_or(0, Checkpoint::size);
        let published = log.checkpoint().await?;
        if published.is_none() && kept.is_none() {
            return Ok(Archived::default());
        }
        if let Some(published) = published
            && let Ok(published) = policy.open(published.to_string().as_bytes())
            && published.checkpoint().size() < from
        {
            return self.has_more(log, policy, published, from).await;
        }
        let signed = verified(log, policy, kept).await?;
        let size = signed.checkpoint().size();
        let first = log.first().await?;
        let mut objects = self.put_files(log, paths(from, size, first)).await?;
        let checkpoint = format!("{}/{}", CHECKPOINTS.under, name_of(size));
        objects += u64::from(self.put_note(&checkpoint, signed.note()).await?);
        log.move_cursor(&ARCHIVE_CURSOR, size).await?;
        Ok(Archived {
            size,
            objects,
            ahead: 0,
        })
    }

    /// What there is of a log that has less than the archive, once that is shown to be a continuation of it.
    async fn has_more(
        &self,
        log: &Arc<dyn Store>,
        policy: &Policy,
        published: SignedCheckpoint,
        size: u64,
    ) -> Result<Archived, ArchiveError> {
        let have = published.checkpoint().size();
        let source = ArchiveSource::new(self.clone(), Handle::current());
        let policy = policy.clone();
        let verifying = move || {
            Verification::new(&source, &policy)
                .since(published.checkpoint())
                .range(size..u64::MAX)
                .run()
        };
        let report = spawn_blocking(verifying)
            .await
            .map_err(ArchiveError::task)?;
        match report.outcome() {
            Outcome::Sound => {}
            outcome => return Err(ArchiveError::Unsound(outcome)),
        }
        log.move_cursor(&ARCHIVE_CURSOR, have).await?;
        Ok(Archived {
            size,
            objects: 0,
            ahead: size - have,
        })
    }

    async fn put_files(
        &self,
        log: &Arc<dyn Store>,
        paths: impl Iterator<Item = TilePath>,
    ) -> Result<u64, ArchiveError> {
        let mut objects = 0;
        let mut puts = JoinSet::new();
        for path in paths {
            if puts.len() == AT_ONCE {
                objects += put(puts.join_next().await)?;
            }
            let (archive, log) = (self.clone(), Arc::clone(log));
            puts.spawn(async move {
                let bytes = log.tile(path).await?;
                let bytes = bytes.ok_or(ArchiveError::Missing { path })?;
                let expected = bytes.clone();
                archive
                    .put(&path.to_string(), bytes, |there| there == expected)
                    .await
            });
        }
        while let Some(joined) = puts.join_next().await {
            objects += put(Some(joined))?;
        }
        Ok(objects)
    }
}

type Put = Result<Result<bool, ArchiveError>, JoinError>;

fn put(joined: Option<Put>) -> Result<u64, ArchiveError> {
    match joined {
        Some(put) => Ok(put.map_err(ArchiveError::task)??.into()),
        None => Ok(0),
    }
}

/// The published checkpoint, once everything behind the archived one is shown to be in its tree.
async fn verified(
    log: &Arc<dyn Store>,
    policy: &Policy,
    kept: Option<Checkpoint>,
) -> Result<SignedCheckpoint, ArchiveError> {
    let source = StoreSource::new(Arc::clone(log), Handle::current());
    let policy = policy.clone();
    let verifying = move || {
        let mut verification = Verification::new(&source, &policy);
        if let Some(kept) = &kept {
            verification = verification.since(kept).range(kept.size()..u64::MAX);
        }
        verification.run()
    };
    let report = spawn_blocking(verifying)
        .await
        .map_err(ArchiveError::task)?;
    let outcome = report.outcome();
    match report.signed {
        Some(signed) if outcome == Outcome::Sound => Ok(signed),
        _ => Err(ArchiveError::Unsound(outcome)),
    }
}

/// The files of the tree of `size` leaves that the one of `from` leaves has not, but for bundles before `first`. Partial
/// ones come first: they are gone soonest.
fn paths(from: u64, size: u64, first: u64) -> impl Iterator<Item = TilePath> {
    let rows = (0..8).flat_map(move |level: u8| {
        let [from, size] = [from, size].map(|size| size >> (8 * u32::from(level)));
        let hashes = (TileKind::Hashes { level }, from, size, 0);
        let entries = (TileKind::Entries, from, size, first);
        [Some(hashes), (level == 0).then_some(entries)]
    });
    let rows: Vec<_> = rows
        .flatten()
        .filter(|(_, from, size, _)| from < size)
        .collect();
    let partial = rows.clone().into_iter().filter_map(|(kind, _, size, _)| {
        let width = u16::try_from(size % WIDE).ok().filter(|width| *width > 0)?;
        TilePath::new(kind, size / WIDE, width).ok()
    });
    let full = rows.into_iter().flat_map(|(kind, from, size, first)| {
        let indices = (from.max(first) / WIDE)..(size / WIDE);
        indices.filter_map(move |index| TilePath::new(kind, index, WIDTH).ok())
    });
    partial.chain(full)
}
