//! A file of keys, when the disk is full, and when processes that write it are killed.

#![cfg(unix)]

use std::{
    error::Error as _,
    iter,
    num::NonZeroU32,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, SystemTime},
};

use portcullis_keyring::{
    KeyId, KeyState, Purpose, TenantId,
    kek::{KekContext, WrappedKey},
    store::{DekStore as _, FileDekStore, InsertError, KeyQuery, StoredKey},
};
use tempfile::TempDir;
use tokio::runtime;

/// What the child does, and where.
const CASE: &str = "KEYRING_FILE_STORE_CASE";
const FOLDER: &str = "KEYRING_FILE_STORE_FOLDER";

/// The child's part: adds keys until it is refused one or killed, and says so.
#[test]
fn child() {
    #[expect(clippy::disallowed_methods, reason = "what the test says to its child")]
    let (Ok(case), Ok(folder)) = (std::env::var(CASE), std::env::var(FOLDER)) else {
        return;
    };
    let store = FileDekStore::open(Path::new(&folder).join("keys")).unwrap();
    let first: u32 = case.parse().unwrap();
    block_on(async {
        for number in first..first + 100_000 {
            match store.insert(&key(number)).await {
                Ok(()) => println!("added {number}"),
                Err(InsertError::Store(error)) => {
                    let causes = iter::successors(error.source(), |error| (*error).source());
                    let causes: Vec<_> = causes.map(ToString::to_string).collect();
                    println!("refused: {}", causes.join(": "));
                    return;
                }
                Err(other) => panic!("{other}"),
            }
        }
    });
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(work)
}

fn key(number: u32) -> StoredKey {
    let tenant = TenantId::new(&format!("tenant-{number}")).expect("a name");
    let purpose = Purpose::new("email").expect("a name");
    let context = KekContext::new(tenant, purpose, KeyId::new(number));
    let wrapped = WrappedKey::from_bytes(vec![7; 66]);
    StoredKey::new(context, KeyState::Primary, wrapped, SystemTime::UNIX_EPOCH)
}

/// A child whose files may have so many blocks, none of which is less than 512 bytes nor more than 1,024.
fn child_with(blocks: &str, first: u32, folder: &Path) -> Command {
    // A signal that is ignored here is ignored by what is executed too: writing fails then.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command
        .args(["-c", &script])
        .arg(std::env::current_exe().expect("this very test"))
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(CASE, first.to_string())
        .env(FOLDER, folder)
        .stdout(Stdio::piped());
    command
}

fn numbers(store: &FileDekStore) -> Vec<u32> {
    let every = KeyQuery::all(NonZeroU32::MAX);
    let keys = block_on(store.list(&every)).expect("it reads");
    keys.keys.iter().map(|key| key.id().value()).collect()
}

#[test]
fn a_full_disk_leaves_the_file_as_it_was() {
    let folder = TempDir::new().unwrap();
    FileDekStore::create(folder.path().join("keys")).unwrap();
    let child = child_with("16", 0, folder.path()).output().unwrap();
    let said = String::from_utf8(child.stdout).unwrap();
    let added = said.matches("added ").count();
    assert!(added > 10, "{said}");
    let place = format!("cannot write {}", folder.path().join("keys.new").display());
    let refused = said.lines().find(|line| line.starts_with("refused: "));
    assert!(refused.is_some_and(|line| line.contains(&place)), "{said}");

    let store = FileDekStore::open(folder.path().join("keys")).unwrap();
    let all = (0..u32::try_from(added).unwrap()).collect::<Vec<_>>();
    assert_eq!(numbers(&store), all);
    assert!(!folder.path().join("keys.new").exists());
    // And once there is room, it goes on.
    block_on(store.insert(&key(u32::MAX))).unwrap();
}

#[test]
fn processes_that_are_killed_leave_a_whole_file_and_every_key_they_added() {
    let folder = TempDir::new().unwrap();
    let store = FileDekStore::create(folder.path().join("keys")).unwrap();
    let mut last = Vec::new();
    for round in 0..6 {
        let firsts = [round * 1_000_000, round * 1_000_000 + 500_000];
        let children = firsts.map(|first| {
            let mut command = child_with("unlimited", first, folder.path());
            command.spawn().unwrap()
        });
        // Both are at work; and a little more each time, so that they die in different places.
        let both = |numbers: &[u32]| firsts.iter().all(|first| numbers.contains(&(first + 2)));
        for _ in 0..3000 {
            if both(&numbers(&store)) {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        thread::sleep(Duration::from_micros(700) * round);
        let mut added = Vec::new();
        for mut child in children {
            child.kill().unwrap();
            let said = child.wait_with_output().unwrap();
            let said = String::from_utf8(said.stdout).unwrap();
            let said = said.lines().filter_map(|line| line.strip_prefix("added "));
            added.extend(said.filter_map(|number| number.parse::<u32>().ok()));
        }
        let there = numbers(&FileDekStore::open(folder.path().join("keys")).unwrap());
        assert!(both(&there), "they were not at work within 30 s");
        assert!(added.iter().all(|number| there.contains(number)));
        assert!(last.iter().all(|number| there.contains(number)));
        last = there;
    }
}
