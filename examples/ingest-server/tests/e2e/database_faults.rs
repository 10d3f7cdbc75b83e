//! A database that is full, locked, damaged or gone: what is answered meanwhile and afterwards.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
    time::{Duration, Instant},
};

use reqwest::{Method, Response, StatusCode};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};

use crate::{
    harness::{ALL_SCOPES, Data, Key, Server, count, page_view, readiness, wait_for},
    movement::assert_moved,
};

/// The bound on the end of a failure once its cause is gone, and on each answer meanwhile.
const RECOVERY: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_secs(2);

/// Files of the process cannot grow beyond this, or as they like.
fn limit_files(server: &Server, bytes: Option<u64>) {
    let pid = Pid::from_raw(server.pid().cast_signed());
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(pid, Resource::Fsize, limit).unwrap();
}

fn fill_disk(server: &Server) {
    let files = server.data().files().into_iter();
    let of_database = files.filter(|(path, _)| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("ingest.db")
    });
    let largest = of_database.map(|(_, bytes)| bytes.len() as u64).max();
    limit_files(server, Some(largest.unwrap() + 20_000));
}

async fn event(server: &Server, key: &Key, id: impl ToString) -> Response {
    let event = server.post("/v1/events", key, &page_view(id));
    event.send().await.unwrap()
}

async fn batch(server: &Server, key: &Key, name: usize) -> StatusCode {
    let batch: Value = (0..300).map(|n| page_view(format!("{name}-{n}"))).collect();
    let answer = server.post("/v1/events", key, &batch).send().await;
    answer.unwrap().status()
}

async fn lead(server: &Server, key: &Key, n: usize) -> Response {
    let body = json!({ "email": format!("lead-{n}@shop.example") });
    server.post("/v1/leads", key, &body).send().await.unwrap()
}

async fn issue(server: &Server) -> Response {
    let body = json!({ "tenant": "acme", "tier": "free", "scopes": ["events:write"] });
    let request = server.admin(Method::POST, "/admin/api-keys").json(&body);
    request.send().await.unwrap()
}

async fn revoke(server: &Server, key: &Key) -> Response {
    let path = format!("/admin/api-keys/{}", key.kid);
    server.admin(Method::DELETE, &path).send().await.unwrap()
}

async fn timed(request: impl Future<Output = Response>) -> (Duration, Response) {
    let asked = Instant::now();
    let answer = request.await;
    (asked.elapsed(), answer)
}

#[tokio::test]
async fn after_a_full_disk_everything_is_written_again_without_a_restart() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let revoked = server.issue("acme", &ALL_SCOPES).await;
    assert_eq!(lead(&server, &key, 0).await.status(), StatusCode::CREATED);
    fill_disk(&server);
    let mut failures = 0;
    for name in 0..20 {
        if batch(&server, &key, name).await != StatusCode::ACCEPTED {
            failures += 1;
        }
        lead(&server, &key, name).await;
        issue(&server).await;
    }
    assert!(failures >= 10, "the disk was not full");
    let (status, components) = readiness(&server).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{components}");
    assert_eq!(components["database"]["state"], "down");

    let room = Instant::now();
    limit_files(&server, None);
    assert_eq!(batch(&server, &key, 100).await, StatusCode::ACCEPTED);
    assert!(lead(&server, &key, 100).await.status().is_success());
    assert_eq!(issue(&server).await.status(), StatusCode::CREATED);
    assert!(revoke(&server, &revoked).await.status().is_success());
    let (status, components) = readiness(&server).await;
    assert_eq!(status, StatusCode::OK, "{components}");
    assert!(room.elapsed() < RECOVERY, "took {:?}", room.elapsed());
    let refused = event(&server, &revoked, "refused").await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    // Each connection of each pool was used, so none is left in a wrong state.
    for name in 101..110 {
        assert_eq!(batch(&server, &key, name).await, StatusCode::ACCEPTED);
        assert_eq!(issue(&server).await.status(), StatusCode::CREATED);
    }
}

#[tokio::test]
async fn room_on_the_disk_is_noticed_without_traffic() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    fill_disk(&server);
    let mut name = 0..;
    while batch(&server, &key, name.next().unwrap()).await == StatusCode::ACCEPTED {}
    wait_for("a service that is not ready", async || {
        let (status, _) = readiness(&server).await;
        (status == StatusCode::SERVICE_UNAVAILABLE).then_some(())
    })
    .await;
    limit_files(&server, None);
    wait_for("a service that is ready", async || {
        let (status, _) = readiness(&server).await;
        (status == StatusCode::OK).then_some(())
    })
    .await;
    assert!(server.logs().contains("the database can be written again"));
}

#[tokio::test]
async fn while_another_process_holds_the_lock_every_answer_comes_within_two_seconds() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let unused = server.issue("another", &ALL_SCOPES).await;
    assert_eq!(lead(&server, &key, 0).await.status(), StatusCode::CREATED);
    let mut blocker = server.data().connect().await;
    let lock = sqlx::query("BEGIN IMMEDIATE");
    lock.execute(&mut blocker).await.unwrap();

    let check = async |delay: u64| {
        tokio::time::sleep(Duration::from_millis(delay)).await;
        let answers = [
            timed(event(&server, &key, delay)).await,
            timed(lead(&server, &key, 1)).await,
            // Whose first data keys are to be made.
            timed(lead(&server, &unused, 1)).await,
            timed(issue(&server)).await,
            timed(revoke(&server, &unused)).await,
        ];
        for (took, answer) in answers {
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(answer.headers().contains_key("retry-after"));
            assert!(took < ANSWER, "took {took:?}");
        }
    };
    // Some arrive while others wait.
    tokio::join!(check(0), check(100), check(700), check(1_400));
    let (status, components) = readiness(&server).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{components}");

    let unlock = sqlx::query("ROLLBACK");
    unlock.execute(&mut blocker).await.unwrap();
    let unlocked = Instant::now();
    assert_eq!(
        event(&server, &key, "later").await.status(),
        StatusCode::ACCEPTED
    );
    assert!(
        unlocked.elapsed() < RECOVERY,
        "took {:?}",
        unlocked.elapsed()
    );
    let (status, components) = readiness(&server).await;
    assert_eq!(status, StatusCode::OK, "{components}");
}

/// A page of a database that somebody has damaged while no process used it.
pub(crate) struct FlippedPage {
    file: File,
    start: u64,
}

/// Where in the database the page with the root of the events' table ends.
pub(crate) async fn page_of_events(data: &Data) -> u64 {
    let root = "SELECT (SELECT rootpage FROM sqlite_schema WHERE name = 'event')
                * (SELECT page_size FROM pragma_page_size)";
    let end: i64 = sqlx::query_scalar(root)
        .fetch_one(&mut data.connect().await)
        .await
        .unwrap();
    u64::try_from(end).unwrap()
}

impl FlippedPage {
    /// Flips every bit of the page that ends there.
    pub(crate) fn of(data: &Data, end: u64) -> Self {
        let mut file = File::options();
        let file = file.read(true).write(true).open(data.database()).unwrap();
        let mut page = Self {
            file,
            start: end - 4_096,
        };
        page.flip();
        page
    }

    /// Makes it what it was.
    pub(crate) fn put_back(mut self) {
        self.flip();
    }

    fn flip(&mut self) {
        let mut bytes = [0; 4_096];
        let start = SeekFrom::Start(self.start);
        self.file.seek(start).unwrap();
        self.file.read_exact(&mut bytes).unwrap();
        for byte in &mut bytes {
            *byte = !*byte;
        }
        self.file.seek(start).unwrap();
        self.file.write_all(&bytes).unwrap();
    }
}

#[tokio::test]
async fn a_damaged_database_is_named_and_not_written() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    assert_eq!(batch(&server, &key, 0).await, StatusCode::ACCEPTED);
    let page = page_of_events(&data).await;
    let before = server.metrics().await;
    assert!(server.terminate().success());
    FlippedPage::of(&data, page);

    let server = Server::start_on(&data);
    for n in 0..3 {
        let answer = event(&server, &key, n).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    let (status, components) = readiness(&server).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let database = &components["database"];
    assert_eq!(database["state"], "down");
    assert!(database["action"].as_str().unwrap().contains("backup"));
    let corrupted = server.metrics().await;
    assert_moved(&before, &corrupted, ["database_corruption_total"]);
    assert_eq!(
        server.logs().matches("nothing is written any more").count(),
        1
    );
    // Nor by those who use what is not damaged.
    assert_eq!(
        issue(&server).await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
}

type Change<'a> = &'a dyn Fn(&Path);

#[tokio::test]
async fn a_file_that_is_not_the_one_that_was_opened_is_not_written() {
    let truncate = |file: &Path, length| {
        let file = File::options().write(true).open(file).unwrap();
        file.set_len(length).unwrap();
    };
    let moved = |file: &Path| file.with_extension("moved");
    let changes: [(&str, Change<'_>); 5] = [
        ("removed", &|file| fs::remove_file(file).unwrap()),
        ("moved away", &|file| fs::rename(file, moved(file)).unwrap()),
        ("replaced", &|file| {
            fs::copy(file, moved(file)).unwrap();
            fs::rename(moved(file), file).unwrap();
        }),
        ("truncated", &|file| truncate(file, 8_192)),
        ("emptied", &|file| truncate(file, 0)),
    ];
    for (what, change) in changes {
        let server = Server::start();
        let key = server.issue("acme", &ALL_SCOPES).await;
        assert_eq!(event(&server, &key, 1).await.status(), StatusCode::ACCEPTED);
        // What was written lies in the log at first; the next commit sees how long the file is.
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut server.data().connect().await)
            .await
            .unwrap();
        assert_eq!(event(&server, &key, 2).await.status(), StatusCode::ACCEPTED);
        let before = server.metrics().await;
        change(&server.data().database());
        let changed = Instant::now();
        wait_for("the change to be noticed", async || {
            let (status, components) = readiness(&server).await;
            let action = components["database"]["action"].as_str()?;
            let is_named = action.contains("removed, replaced or truncated");
            (status == StatusCode::SERVICE_UNAVAILABLE && is_named).then_some(())
        })
        .await;
        assert!(
            changed.elapsed() < RECOVERY,
            "{what}: {:?}",
            changed.elapsed()
        );
        let answer = event(&server, &key, 3).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{what}");
        assert_eq!(
            issue(&server).await.status(),
            StatusCode::SERVICE_UNAVAILABLE
        );
        assert_eq!(
            revoke(&server, &key).await.status(),
            StatusCode::SERVICE_UNAVAILABLE
        );
        let lost = server.metrics().await;
        assert_moved(&before, &lost, ["database_file_lost_total"]);
        let is_there = server.data().database().exists();
        assert_eq!(
            is_there,
            !["removed", "moved away"].contains(&what),
            "{what}"
        );
    }
}

/// What is acknowledged may lie in the log alone: without one, a crash would lose it.
#[tokio::test]
async fn without_its_log_nothing_is_acknowledged_and_stopping_saves_what_was() {
    let changes: [(&[&str], bool); 4] = [
        (&["-wal"], false),
        (&["-shm"], false),
        (&["-wal", "-shm"], false),
        // Another one, which the next program makes that opens the file.
        (&["-wal", "-shm"], true),
    ];
    for (suffixes, is_replaced) in changes {
        let server = Server::start();
        let key = server.issue("acme", &ALL_SCOPES).await;
        for id in 0..10 {
            assert_eq!(
                event(&server, &key, id).await.status(),
                StatusCode::ACCEPTED
            );
        }
        for suffix in suffixes {
            let mut beside = server.data().database().into_os_string();
            beside.push(suffix);
            fs::remove_file(&beside).unwrap();
            if is_replaced {
                fs::write(&beside, "").unwrap();
            }
        }
        let changed = Instant::now();
        wait_for("the change to be noticed", async || {
            let (status, components) = readiness(&server).await;
            let action = components["database"]["action"].as_str()?;
            let is_named = action.contains("`-wal` or `-shm`");
            (status == StatusCode::SERVICE_UNAVAILABLE && is_named).then_some(())
        })
        .await;
        assert!(changed.elapsed() < RECOVERY, "{:?}", changed.elapsed());
        let answer = event(&server, &key, "refused").await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(server.metrics().await["database_file_lost_total"] >= 1.0);

        let data = server.data().clone();
        assert!(server.terminate().success());
        let server = Server::start_on(&data);
        let (status, components) = readiness(&server).await;
        assert_eq!(status, StatusCode::OK, "{components}");
        assert_eq!(count(&data, "event").await, 10);
    }
}

#[tokio::test]
async fn nothing_is_acknowledged_into_a_file_that_was_moved_away() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    assert_eq!(event(&server, &key, 1).await.status(), StatusCode::ACCEPTED);
    let file = server.data().database();
    fs::rename(&file, file.with_extension("moved")).unwrap();
    let answer = event(&server, &key, 2).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn an_empty_database_where_data_was_is_refused_until_the_marker_is_removed() {
    let data = Data::new();
    let without_data = Data::new();
    for data in [&data, &without_data] {
        assert!(Server::start_on(data).terminate().success());
    }
    let file = data.database();
    let mut emptied = without_data.connect().await;
    sqlx::query("DELETE FROM secret_check")
        .execute(&mut emptied)
        .await
        .unwrap();
    sqlx::Connection::close(emptied).await.unwrap();
    let changes: [Change<'_>; 3] = [
        &|file| fs::remove_file(file).unwrap(),
        &|file| fs::write(file, "").unwrap(),
        &|file| {
            fs::copy(without_data.database(), file).unwrap();
        },
    ];
    for change in changes {
        change(&file);
        let output = data.run(&["serve"]);
        assert!(!output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("data was written to it before"), "{said}");
        assert!(said.contains("ingest.db-marker"), "{said}");
    }
    for file in [file, data.path().join("ingest.db-marker")] {
        fs::remove_file(file).unwrap();
    }
    let server = Server::start_on(&data);
    server.issue("acme", &ALL_SCOPES).await;
}
