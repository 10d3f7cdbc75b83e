//! The disk of the audit log hangs: who writes to it waits, and no error ever comes.
//!
//! It is a file system of the test's own that is frozen, which takes root.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Server, count, page_view, readiness, wait_for};

/// The promise is two seconds; the rest is what the test takes itself.
const REFUSED_WITHIN: Duration = Duration::from_millis(2_500);
/// What waits for nothing, on a machine that does other things too.
const AT_ONCE: Duration = Duration::from_secs(1);

/// A file system in a file.
pub(crate) struct Disk(PathBuf);

/// While it is there, the disk hangs. Who waits for it then cannot even be killed, so that it has to go before them.
struct Frozen<'a>(&'a Disk);

impl Disk {
    pub(crate) fn new(folder: &Path) -> Self {
        let (image, mounted) = (folder.join("disk.img"), folder.join("disk"));
        fs::File::create(&image)
            .unwrap()
            .set_len(256 << 20)
            .unwrap();
        fs::create_dir(&mounted).unwrap();
        run("mkfs.ext4", &["-q", "-F"], &[&image]);
        run("mount", &["-o", "loop"], &[&image, &mounted]);
        Self(mounted)
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    fn freeze(&self) -> Frozen<'_> {
        run("fsfreeze", &["--freeze"], &[&self.0]);
        Frozen(self)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run("umount", &["--lazy"], &[&self.0]);
    }
}

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        run("fsfreeze", &["--unfreeze"], &[&self.0.0]);
    }
}

fn run(program: &str, options: &[&str], paths: &[&Path]) {
    let ran = Command::new(program).args(options).args(paths).output();
    let ran = ran.unwrap_or_else(|error| panic!("{program} cannot be run: {error}"));
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(
        ran.status.success(),
        "{program} failed; the test needs root, to mount a file system: {told}"
    );
}

async fn assert_refused(request: RequestBuilder) {
    let asked = Instant::now();
    let answer = request.send().await.unwrap();
    let took = asked.elapsed();
    assert!(took < REFUSED_WITHIN, "{}: {took:?}", answer.url());
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["reason"], "capacity.audit_unavailable");
    assert!(!problem.to_string().contains("b.example"), "{problem}");
}

async fn assert_at_once(request: RequestBuilder, expected: StatusCode) {
    let asked = Instant::now();
    let answer = request.send().await.unwrap();
    let took = asked.elapsed();
    assert!(took < AT_ONCE, "{}: {took:?}", answer.url());
    assert_eq!(answer.status(), expected, "{}", answer.url());
}

#[tokio::test]
async fn what_must_be_on_record_is_refused_in_two_seconds_and_all_else_goes_on() {
    // The server ends before the disk is taken from it.
    let place = tempfile::tempdir().unwrap();
    let disk = Disk::new(place.path());
    let data = Data::new();
    let mut command = data.command();
    command.env("INGEST_AUDIT_DIR", disk.0.join("audit"));
    let server = Server::start_command(&data, command);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    let path = format!("/v1/leads/{lead}");
    assert_eq!(server.read_lead(&key, &lead).await.status(), StatusCode::OK);

    let frozen = disk.freeze();
    let in_the_clear = || {
        let request = server.request(Method::GET, &path, &key);
        request.header("x-access-reason", "support")
    };
    let issue = json!({ "tenant": "acme", "tier": "free", "scopes": ["events:write"] });
    let musts = [
        in_the_clear(),
        server.admin(Method::POST, "/admin/api-keys").json(&issue),
        server.admin(Method::DELETE, &format!("/admin/api-keys/{}", key.kid)),
        server.admin(Method::GET, "/admin/limits"),
        in_the_clear(),
    ];
    for (n, must) in musts.into_iter().enumerate() {
        assert_refused(must).await;
        let event = server.post("/v1/events", &key, &page_view(n));
        assert_at_once(event, StatusCode::ACCEPTED).await;
        let masked = server.request(Method::GET, &path, &key);
        assert_at_once(masked, StatusCode::OK).await;
        for page in ["/healthz", "/readyz", "/metrics"] {
            assert_at_once(server.admin(Method::GET, page), StatusCode::OK).await;
        }
    }
    assert_eq!(count(&data, "apikey_cache_api_key").await, 1);
    let (_, components) = readiness(&server).await;
    assert_eq!(components["audit_log"]["state"], "degraded", "{components}");

    drop(frozen);
    wait_for("a read when the disk goes on", async || {
        let status = server.read_lead(&key, &lead).await.status();
        (status == StatusCode::OK).then_some(())
    })
    .await;
    assert!(server.terminate().success());
}
