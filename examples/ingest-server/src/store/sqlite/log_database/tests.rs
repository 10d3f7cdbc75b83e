//! Its file is moved away, shared and closed.

use std::fs;

use portcullis_audit_log::event::{
    Action, Activity, Actor, ActorType, Delivery, EventBuilder, EventId, Stamp, Timestamp,
};

use super::*;

async fn append(log: &LogDatabase) -> Result<(), LogError> {
    let tenant = Id::SYSTEM_TENANT;
    let taken = log.lock(std::slice::from_ref(&tenant)).await?;
    let mut group = Group::new(taken.state());
    let actor = Actor::new(ActorType::System, Id::constant("a"));
    let event = EventBuilder::new(tenant, Action::new("a.b"), Activity::Other, actor);
    let time = Timestamp::from_unix_micros(1).unwrap();
    let id = EventId::new(time, [1; 10]);
    let stamp = Stamp::new(id, time, Delivery::Must, Id::constant("a"));
    group.push(&event.build(stamp).unwrap(), None).unwrap();
    taken.commit(&group).await
}

#[tokio::test]
async fn what_is_moved_away_is_neither_read_nor_written_until_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let (path, aside) = (folder.path().join("a.db"), folder.path().join("aside"));
    let log = LogDatabase::open(&path).await.unwrap();
    append(&log).await.unwrap();
    fs::rename(&path, &aside).unwrap();
    for refused in [append(&log).await, log.size().await.map(drop)] {
        let error = refused.unwrap_err();
        assert!(matches!(error, LogError::Unavailable(_)), "{error}");
    }
    fs::rename(&aside, &path).unwrap();
    append(&log).await.unwrap();
    assert_eq!(log.size().await.unwrap(), 2);
    log.close().await;
}

#[tokio::test]
async fn what_is_moved_away_while_it_is_written_is_told_to_nobody_as_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let log = LogDatabase::open(&path).await.unwrap();
    let taken = log.lock(&[]).await.unwrap();
    let group = Group::new(taken.state());
    fs::rename(&path, folder.path().join("aside")).unwrap();
    let error = taken.commit(&group).await.unwrap_err();
    assert!(matches!(error, LogError::Unavailable(_)), "{error}");
    log.close().await;
}

#[tokio::test]
async fn the_file_is_its_owners_alone_and_whole_once_it_is_closed() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let [first, second] = [
        LogDatabase::open(&path).await.unwrap(),
        LogDatabase::open(&path).await.unwrap(),
    ];
    append(&first).await.unwrap();
    append(&second).await.unwrap();
    assert_eq!(first.size().await.unwrap(), 2);
    first.close().await;
    append(&second).await.unwrap();
    second.close().await;
    let names = fs::read_dir(folder.path()).unwrap();
    let names: Vec<_> = names.map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names, ["a.db"]);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
