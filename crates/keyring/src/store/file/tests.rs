//! The file as a store: its contract, and what may be wrong with it.

use std::{
    error::Error,
    fs, iter,
    sync::atomic::{AtomicUsize, Ordering},
};

use tempfile::TempDir;

use super::*;
use crate::{
    KeyState, Keyring, Purpose,
    conformance::{self, key, tenant},
    kek::MemoryKek,
};

fn folder() -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("keys");
    (folder, path)
}

fn create(path: &Path) -> FileDekStore {
    FileDekStore::create(path).expect("it is made")
}

fn open(path: &Path) -> FileDekStore {
    FileDekStore::open(path).expect("it opens")
}

fn causes(error: &StoreError) -> String {
    let causes = iter::successors(error.source(), |error| (*error).source());
    let causes = causes.map(ToString::to_string);
    causes.collect::<Vec<_>>().join(": ")
}

#[tokio::test]
async fn it_is_a_dek_store() {
    let (folder, _) = folder();
    let made = AtomicUsize::new(0);
    conformance::dek_store(async || {
        let number = made.fetch_add(1, Ordering::Relaxed);
        Arc::new(create(&folder.path().join(format!("{number}.keys")))) as _
    })
    .await;
}

#[tokio::test]
async fn what_one_process_changes_the_others_read() {
    let (_folder, path) = folder();
    let (one, other) = (create(&path), open(&path));
    one.insert(&key(1, "t", "email", KeyState::Primary))
        .await
        .expect("there is room");
    assert!(other.load(KeyId::new(1)).await.expect("it reads").is_some());
    other
        .erase_tenant(&tenant("t"), SystemTime::UNIX_EPOCH)
        .await
        .expect("it writes");
    let left = one.load(KeyId::new(1)).await.expect("it reads");
    assert_eq!(left.map(|key| key.state()), Some(KeyState::Destroyed));
    assert_eq!(
        one.changes().await.expect("it reads"),
        other.changes().await.expect("it reads")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_race_to_make_first_keys_agree_and_lose_none() {
    let (_folder, path) = folder();
    create(&path);
    let kek = Arc::new(MemoryKek::new().expect("a KEK"));
    let racers = (0..6).map(|own| {
        let keyring = Keyring::builder(kek.clone(), Arc::new(open(&path))).build();
        tokio::spawn(async move {
            let email = [Purpose::new("email").expect("a name")];
            let mut shared = Vec::new();
            for at in 0..5 {
                let own = tenant(&format!("{own}-{at}"));
                keyring.prepare(&own, &email).await.expect("it answers");
                let at = tenant(&format!("{at}"));
                let keys = keyring.prepare(&at, &email).await.expect("it answers");
                let now = keys.clock().monotonic();
                shared.push(keys.primary("email", now).expect("it is fresh").id());
            }
            shared
        })
    });
    let mut seen = Vec::new();
    for racer in racers.collect::<Vec<_>>() {
        seen.push(racer.await.expect("no panic"));
    }
    assert!(seen.iter().all(|ids| *ids == seen[0]), "{seen:?}");
    let tables = open(&path).file.read().expect("it is whole");
    assert_eq!(tables.all().len(), 6 * 5 + 5);
}

#[tokio::test]
async fn damage_is_named_with_its_place_and_nothing_is_written() {
    let (_folder, path) = folder();
    let store = create(&path);
    for id in [1, 2] {
        let key = key(id, "t", "email", KeyState::DecryptOnly);
        store.insert(&key).await.expect("there is room");
    }
    let whole = fs::read_to_string(&path).expect("it reads");
    for (line, edited) in [
        // As an operator may have done who wanted the second one back.
        (
            3,
            whole.replace("00000002 decrypt-only", "00000002 primary"),
        ),
        (
            1,
            whole.replacen("portcullis-keys 1 ", "portcullis-keys 1 0", 1),
        ),
    ] {
        assert_ne!(edited, whole);
        fs::write(&path, &edited).expect("it writes");
        for opened in [FileDekStore::open(&path).map(drop), another(&path).await] {
            let error = opened.expect_err("it is damaged");
            assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
            let text = causes(&error);
            let place = format!("{}, line {line}: its checksum", path.display());
            assert!(text.contains(&place), "{text}");
        }
        assert_eq!(fs::read_to_string(&path).expect("it reads"), edited);
    }
}

/// What a process gets that reads the file after it was opened whole.
async fn another(path: &Path) -> Result<(), StoreError> {
    let edited = fs::read_to_string(path).expect("it reads");
    fs::remove_file(path).expect("it goes");
    let store = create(path);
    fs::write(path, edited).expect("it writes");
    let key = key(3, "t", "email", KeyState::DecryptOnly);
    match store.insert(&key).await {
        Err(InsertError::Store(error)) => Err(error),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_file_of_a_later_version_is_left_to_that() {
    let (_folder, path) = folder();
    fs::write(&path, "portcullis-keys 2 whatever\n").expect("it writes");
    let error = FileDekStore::open(&path).expect_err("it is too new");
    assert!(matches!(error, StoreError::Migration(_)), "{error:?}");
    assert!(causes(&error).contains("later version"), "{error:?}");
}

#[tokio::test]
async fn a_file_that_has_gone_is_not_an_empty_one() {
    let (_folder, path) = folder();
    let store = create(&path);
    store.check().await.expect("it is in order");
    fs::remove_file(&path).expect("it goes");
    let answer = store.load_tenant(&tenant("t")).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))));
    let key = key(1, "t", "email", KeyState::Primary);
    let answer = store.insert(&key).await;
    assert!(matches!(
        answer,
        Err(InsertError::Store(StoreError::Unavailable(_)))
    ));
    assert!(store.check().await.is_err());
    assert!(!path.exists());
}

#[tokio::test]
async fn what_somebody_left_who_was_killed_is_in_nobodys_way() {
    let (folder, path) = folder();
    let store = create(&path);
    let draft = folder.path().join("keys.new");
    for left in ["", "portcullis-keys 1 half"] {
        fs::write(&draft, left).expect("it writes");
        store.check().await.expect("it is in order");
        fs::write(&draft, left).expect("it writes");
        store
            .erase_tenant(&tenant("t"), SystemTime::UNIX_EPOCH)
            .await
            .expect("it writes");
        assert!(!draft.exists());
    }
}

#[tokio::test]
async fn a_check_changes_nothing() {
    let (folder, path) = folder();
    let store = create(&path);
    let before = fs::read(&path).expect("it reads");
    store.check().await.expect("it is in order");
    assert_eq!(fs::read(&path).expect("it reads"), before);
    let names = fs::read_dir(folder.path()).expect("it reads");
    assert_eq!(names.count(), 2, "the keys and the lock");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let (_folder, path) = folder();
    let path = path.join("keys");
    for error in [
        FileDekStore::open(&path).expect_err("there is no folder"),
        FileDekStore::create(&path).expect_err("there is no folder"),
    ] {
        let text = causes(&error);
        assert!(text.contains(&path.display().to_string()), "{text}");
    }
}

/// As while what it lies on is not mounted: it is back later, with its keys.
#[tokio::test]
async fn a_file_that_is_not_there_is_not_made() {
    let (folder, path) = folder();
    let error = FileDekStore::open(&path).expect_err("there is no file");
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    let text = causes(&error);
    assert!(text.contains(&path.display().to_string()), "{text}");
    assert!(text.contains("FileDekStore::create"), "{text}");
    let names = fs::read_dir(folder.path()).expect("it reads");
    assert_eq!(names.count(), 0);
}

#[tokio::test]
async fn a_file_that_is_there_is_not_made_again() {
    let (_folder, path) = folder();
    let store = create(&path);
    let key = key(1, "t", "email", KeyState::Primary);
    store.insert(&key).await.expect("there is room");
    let error = FileDekStore::create(&path).expect_err("it is there");
    assert!(causes(&error).contains("cannot make"), "{error:?}");
    let left = open(&path).load(KeyId::new(1)).await.expect("it reads");
    assert_eq!(left, Some(key));
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_is_followed_and_never_replaced() {
    use std::os::unix::fs::symlink;

    let (folder, path) = folder();
    let link = folder.path().join("link");
    symlink(&path, &link).expect("it links");
    // To nowhere as yet, as to a volume that is not mounted.
    FileDekStore::open(&link).expect_err("it leads nowhere");
    FileDekStore::create(&link).expect_err("it has the name");
    assert!(link.is_symlink() && !path.exists());

    create(&path);
    let store = open(&link);
    let key = key(1, "t", "email", KeyState::Primary);
    store.insert(&key).await.expect("there is room");
    assert!(link.is_symlink());
    let left = open(&path).load(KeyId::new(1)).await.expect("it reads");
    assert_eq!(left, Some(key));
}

/// A name whose end cannot be found out is one that may be there.
#[cfg(unix)]
#[tokio::test]
async fn what_cannot_be_looked_at_is_not_replaced() {
    use std::os::unix::fs::symlink;

    let (_folder, path) = folder();
    symlink(&path, &path).expect("it links to itself");
    FileDekStore::open(&path).expect_err("it leads nowhere");
    FileDekStore::create(&path).expect_err("it has the name");
    assert!(path.is_symlink());
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;

    let (folder, path) = folder();
    let store = create(&path);
    let is_private = |name: &str| {
        let file = fs::metadata(folder.path().join(name)).expect("it is there");
        assert_eq!(file.permissions().mode() & 0o777, 0o600, "{name}");
    };
    is_private("keys");
    is_private("keys.lock");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("it is ours");
    store
        .erase_tenant(&tenant("t"), SystemTime::UNIX_EPOCH)
        .await
        .expect("it writes");
    is_private("keys");
}
