//! A log whose process has ended, and those that it has followed, into their archives.

use std::{num::NonZeroU32, sync::Arc};

use portcullis_audit_log::store::Store;

use super::{
    super::{FillError, NamedLogs},
    EndedError,
};
use crate::audit::{CurrentLog, EarlierLog};

/// Brings there what the log of that name has more, and those that it has followed: what is wrong with one keeps nobody
/// from the others.
///
/// # Errors
/// [`EndedError`] of the first that failed.
pub(super) async fn archive(
    logs: &NamedLogs,
    name: &str,
    current: &CurrentLog,
    log: &Arc<dyn Store>,
) -> Result<(), EndedError> {
    let mut archived = fill(logs, name, current.generation().number(), log).await;
    // Nobody begins another while this one is held, and to look where nothing is new is one object of each archive.
    for earlier in EarlierLog::all_before(current)? {
        archived = archived.and(fill_earlier(logs, name, &earlier).await);
    }
    archived
}

async fn fill_earlier(
    logs: &NamedLogs,
    name: &str,
    earlier: &EarlierLog,
) -> Result<(), EndedError> {
    let kept = earlier.open().await.map_err(FillError::from)?;
    let filled = fill(logs, name, earlier.number, &kept.store()).await;
    kept.close().await?;
    filled
}

async fn fill(
    logs: &NamedLogs,
    name: &str,
    number: NonZeroU32,
    log: &Arc<dyn Store>,
) -> Result<(), EndedError> {
    let keys = logs.keys(name, Some(number))?;
    logs.archive(name, Some(number))?.fill(log, &keys).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path, process::Command};

    use portcullis_audit_log::{
        audit::{Audit, Generation},
        clock::{Clock, SystemClock},
        event::Id,
        store::FileStore,
    };
    use portcullis_versioned_secrets::VersionedSecrets;
    use secrecy::SecretBox;

    use super::{super::super::keys::signing_keys, *};
    use crate::{audit::LockFile, config::ArchivePlace};

    const NAME: &str = "command-line";

    async fn held(logs: &NamedLogs) -> (CurrentLog, Arc<FileStore>) {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let opened = CurrentLog::open(&logs.folder().join(NAME), &clock).await;
        let (current, store) = opened.unwrap();
        (current, Arc::new(store))
    }

    /// Has a command begin and end.
    async fn write(logs: &NamedLogs) -> CurrentLog {
        let (current, store) = held(logs).await;
        let base = logs.origin_of(NAME).unwrap();
        let log = Arc::clone(&store) as _;
        let builder = Audit::builder(log, base.clone(), Id::constant(NAME))
            .generation(current.generation().clone());
        let keys = signing_keys(&base, &logs.secrets).unwrap();
        let builder = keys.into_iter().fold(builder, |it, key| it.key(key));
        let (audit, writing) = builder.open().await.unwrap();
        audit.close();
        writing.await;
        store.close().await.unwrap();
        current
    }

    fn begun(number: u32) -> Generation {
        let text = format!(
            "portcullis/audit/generation/v1\n{number}\n\
             known 1 3 usClIbbDnMnAAq0ZnmLjWNIEklVUBhfsJvGeKtse1cA=\n\
             kept 1 2 CAk3O+MgRVYrpScI5Oo6tXgw2+wFVCTQ6cWOMOi9M0U=\n"
        );
        text.parse().unwrap()
    }

    /// Those of the three that have an archive.
    async fn archived(logs: &NamedLogs) -> Vec<u32> {
        let mut archived = Vec::new();
        for number in 1..=3 {
            let archive = logs.archive(NAME, NonZeroU32::new(number)).unwrap();
            let checkpoint = archive.open().await.unwrap().checkpoint().await;
            archived.extend(checkpoint.unwrap().map(|_| number));
        }
        archived
    }

    #[tokio::test]
    async fn of_a_log_that_was_put_back_and_followed_the_archive_may_have_more() {
        let folder = tempfile::tempdir().unwrap();
        let [all, place] = ["audit", "archive"].map(|name| folder.path().join(name));
        for folder in [&all, &place] {
            fs::create_dir(folder).unwrap();
        }
        let secrets = VersionedSecrets::single(SecretBox::new(Box::new([7; 32])));
        let logs = NamedLogs::of_files(&all, ArchivePlace::Folder(place), secrets);
        write(&logs).await;
        let copied = folder.path().join("copied");
        let copy = |from: &Path, to: &Path| {
            let copied = Command::new("cp").arg("-a").args([from, to]).status();
            assert!(copied.unwrap().success());
        };
        copy(&all.join(NAME), &copied);
        write(&logs).await;
        let archived = async || {
            let (current, store) = held(&logs).await;
            let log = Arc::clone(&store) as _;
            let archived = archive(&logs, NAME, &current, &log).await;
            store.close().await.unwrap();
            archived
        };
        archived().await.unwrap();
        fs::remove_dir_all(all.join(NAME)).unwrap();
        copy(&copied, &all.join(NAME));
        // As long as nobody has accepted that, it is told.
        let refused = archived().await.unwrap_err();
        assert!(
            matches!(refused, EndedError::Fill(FillError::Ahead { ahead: 2, .. })),
            "{refused:?}"
        );
        let (current, store) = held(&logs).await;
        store.close().await.unwrap();
        current.begin(&begun(2)).unwrap();
        write(&logs).await;
        archived().await.unwrap();
    }

    #[tokio::test]
    async fn logs_that_were_followed_are_archived_too_and_one_keeps_nobody_from_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let [all, place] = ["audit", "archive"].map(|name| folder.path().join(name));
        for folder in [&all, &place] {
            fs::create_dir(folder).unwrap();
        }
        let secrets = VersionedSecrets::single(SecretBox::new(Box::new([7; 32])));
        let logs = NamedLogs::of_files(&all, ArchivePlace::Folder(place), secrets);
        for next in [2, 3] {
            write(&logs).await.begin(&begun(next)).unwrap();
        }
        write(&logs).await;

        let (current, store) = held(&logs).await;
        let log = Arc::clone(&store) as _;
        let second = all.join(NAME).join("generation-2/lock");
        let second = LockFile::alone(&second).unwrap().unwrap();
        let refused = archive(&logs, NAME, &current, &log).await.unwrap_err();
        assert!(matches!(refused, EndedError::Fill(_)), "{refused:?}");
        assert_eq!(archived(&logs).await, [1, 3]);
        drop(second);
        archive(&logs, NAME, &current, &log).await.unwrap();
        assert_eq!(archived(&logs).await, [1, 2, 3]);
        store.close().await.unwrap();
    }
}
