//! A process that re-encrypts is killed.

use std::{
    env,
    io::{BufRead as _, BufReader},
    num::NonZeroU32,
    path::Path,
    process::{Command, Stdio},
};

use portcullis_keyring::{KeyId, sweep::Pace};
use portcullis_pii_crypto::{
    Email, PiiType,
    reencrypt::{Scope, SealedRows as _},
};

use super::shop::Shop;

const CUSTOMERS: u32 = 400;
const FILE: &str = "OWN_TABLE_TEST_FILE";
const KEY: &str = "OWN_TABLE_TEST_KEY";

/// The process that re-encrypts: it tells of each page.
#[expect(clippy::print_stdout, reason = "what the other process reads")]
async fn reencrypt(file: &Path, old: KeyId) {
    let shop = Shop::open(file).await;
    let pace = Pace::batches_of(NonZeroU32::MIN.saturating_add(4));
    let scope = Scope::Keys([old].into());
    let mut tell = |_: &_| println!("a page");
    let reencryptor = shop.reencryptor().pace(pace);
    let run = reencryptor.run(&shop.customers, &scope, "retire", &mut tell);
    let report = run.await.expect("it runs");
    assert!(report.is_complete(), "{report:?}");
    println!("at its end");
}

/// Starts it, and kills it after some pages; whether it came to its end before.
fn start(file: &Path, old: KeyId, pages: Option<usize>) -> bool {
    let mut child = Command::new(env::current_exe().expect("a program"))
        .args(["--exact", "killed::a_killed_sweep_goes_on", "--nocapture"])
        .env(FILE, file)
        .env(KEY, old.value().to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut seen = 0;
    let mut is_done = false;
    for line in BufReader::new(child.stdout.take().expect("it is piped")).lines() {
        let line = line.expect("text");
        seen += usize::from(line.ends_with("a page"));
        is_done |= line.ends_with("at its end");
        if Some(seen) == pages {
            // SIGKILL on Unix.
            child.kill().expect("it is killed");
            break;
        }
    }
    let ended = child.wait().expect("it ends");
    assert_eq!(ended.success(), pages.is_none(), "{ended}");
    is_done
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "the test runs itself in another process"
)]
async fn a_killed_sweep_goes_on() {
    if let (Some(file), Ok(key)) = (env::var_os(FILE), env::var(KEY)) {
        reencrypt(Path::new(&file), KeyId::new(key.parse().unwrap())).await;
        return;
    }
    let (folder, shop) = Shop::new().await;
    for number in 0..CUSTOMERS {
        let address = format!("customer.{number}@example.com");
        shop.store(&format!("c{number:03}"), &address, "Customer")
            .await;
    }
    let old = shop.rotate(&Email::purpose()).await;
    let file = folder.path().join("shop.db");

    let mut left = u64::from(CUSTOMERS);
    for pages in [3, 11, 19] {
        assert!(!start(&file, old, Some(pages)));
        let scope = Scope::Keys([old].into());
        let now = shop.customers.count(&scope).await.unwrap();
        // It went on where it was, and got further.
        assert!(now > 0 && now + 5 * pages as u64 <= left, "{now} of {left}");
        left = now;
        // What is done and what is not opens.
        for number in [0, CUSTOMERS / 2, CUSTOMERS - 1] {
            let address = shop.email(&format!("c{number:03}")).await;
            assert_eq!(address, format!("customer.{number}@example.com"));
        }
    }
    assert!(start(&file, old, None));

    let verified = shop.verify(old).await;
    assert_eq!(verified.rows_of(old), Some(0));
    assert_eq!(verified.progress.done, u64::from(CUSTOMERS));
    assert_eq!(verified.progress.failed, 0);
    for number in 0..CUSTOMERS {
        let address = shop.email(&format!("c{number:03}")).await;
        assert_eq!(address, format!("customer.{number}@example.com"));
    }
}
