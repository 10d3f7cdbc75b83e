//! What was erased is known after every start.

use std::fs;

use uuid::Uuid;

use super::*;

fn tombstone(lead: Option<u128>) -> Tombstone {
    Tombstone {
        tenant: TenantId::new("acme").unwrap(),
        lead: lead.map(|number| LeadId(Uuid::from_u128(number))),
        at: OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap(),
    }
}

async fn add(tombstones: &Tombstones, tombstone: Tombstone) -> NotedErasures {
    let known = NotedErasures::default();
    tombstones.add(tombstone, known).await.unwrap()
}

#[tokio::test]
async fn what_was_added_is_read_in_its_order_by_all_that_open_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("erasures.jsonl");
    let all = [Some(1), None, Some(2)].map(tombstone);
    for one in &all {
        let tombstones = Tombstones::made(&path).unwrap();
        add(&tombstones, one.clone()).await;
    }
    let tombstones = Tombstones::made(&path).unwrap();
    assert_eq!(tombstones.read().await.unwrap(), all);
    // Databases are restored years later: never change it, nor how the file is known.
    let noted = tombstones.noted().await.unwrap();
    let file = "f0c29053e7c180cbb52e0ef0fc9ba9ff".to_owned();
    assert_eq!(
        noted,
        NotedErasures {
            count: 3,
            file: Some(file)
        }
    );
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(
        text.lines().next().unwrap(),
        r#"{"at":"2023-11-14T22:13:20.000Z","lead":"00000000-0000-0000-0000-000000000001","tenant":"acme"}"#
    );
    assert_eq!(
        text.lines().nth(1).unwrap(),
        r#"{"at":"2023-11-14T22:13:20.000Z","tenant":"acme"}"#
    );
}

#[tokio::test]
async fn a_damaged_line_is_named_with_its_file_and_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("erasures.jsonl");
    let tombstones = Tombstones::made(&path).unwrap();
    add(&tombstones, tombstone(Some(1))).await;
    let good = fs::read_to_string(&path).unwrap();
    for (line, why) in [
        ("", "no JSON object"),
        ("{\"at\":\"2023-11-14T22:13:20Z\"", "no JSON object"),
        ("[]", "no JSON object"),
        ("{\"at\":\"2023-11-14T22:13:20Z\"}", "`tenant`"),
        ("{\"tenant\":\"acme\"}", "`at`"),
        ("{\"at\":\"then\",\"tenant\":\"acme\"}", "`at`"),
        (
            "{\"at\":\"2023-11-14T22:13:20Z\",\"lead\":\"x\",\"tenant\":\"acme\"}",
            "`lead`",
        ),
        (
            "{\"at\":\"2023-11-14T22:13:20Z\",\"lead\":null,\"tenant\":\"acme\"}",
            "`lead`",
        ),
        (
            "{\"at\":\"2023-11-14T22:13:20Z\",\"leed\":\"x\",\"tenant\":\"acme\"}",
            "a member",
        ),
    ] {
        fs::write(&path, format!("{good}{line}\n{good}")).unwrap();
        let error = tombstones.read().await.unwrap_err().to_string();
        let place = format!("{}, line 2", path.display());
        assert!(error.contains(&place) && error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn a_line_that_a_crash_cut_is_passed_over_and_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("erasures.jsonl");
    let tombstones = Tombstones::made(&path).unwrap();
    for (before, after) in [(None, Some(2)), (Some(1), Some(2))] {
        fs::write(&path, "").unwrap();
        if before.is_some() {
            add(&tombstones, tombstone(before)).await;
        }
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}{{\"at\":\"2023-11-")).unwrap();
        let kept: Vec<Tombstone> = before.map(|it| tombstone(Some(it))).into_iter().collect();
        assert_eq!(tombstones.read().await.unwrap(), kept);
        add(&tombstones, tombstone(after)).await;
        let kept: Vec<Tombstone> = kept.into_iter().chain([tombstone(after)]).collect();
        assert_eq!(tombstones.read().await.unwrap(), kept);
    }
}

#[tokio::test]
async fn those_that_are_added_at_once_are_all_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("erasures.jsonl");
    let tombstones = Tombstones::made(&path).unwrap();
    let added = (0..50).map(|number| add(&tombstones, tombstone(Some(number))));
    futures_util::future::join_all(added).await;
    assert_eq!(tombstones.read().await.unwrap().len(), 50);
}

#[test]
fn what_is_no_file_of_the_services_own_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::write(&elsewhere, "").unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
    for path in [link.as_path(), folder.path()] {
        let error = Tombstones::made(path).unwrap_err();
        assert!(matches!(error, TombstonesError::NoFile(_)), "{error}");
    }
}
