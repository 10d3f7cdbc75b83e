//! A disk of a test's own that hangs or is full, with an audit log on it. It is a file system in a file, which takes root.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::{
    degraded::{is_degraded, wait_until_well},
    harness::{Key, Server, count, page_view, random_secret, readiness, wait_for},
};

/// The promise is two seconds; the rest is what the test takes itself.
pub(crate) const REFUSED_WITHIN: Duration = Duration::from_millis(2_500);
/// What waits for nothing, on a machine that does other things too.
const AT_ONCE: Duration = Duration::from_secs(1);

/// A file system in a file.
pub(crate) struct Disk(PathBuf);

/// While it is there, the disk hangs. Who waits for it then cannot even be killed, so that it has to go before them.
pub(crate) struct Frozen<'a>(&'a Disk);

/// While it is there, the disk has no room.
pub(crate) struct Full(PathBuf);

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

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn freeze(&self) -> Frozen<'_> {
        run("fsfreeze", &["--freeze"], &[&self.0]);
        Frozen(self)
    }

    /// Takes all the room that there is.
    pub(crate) fn fill(&self) -> Full {
        let full = Full(self.0.join("filling"));
        let mut file = fs::File::create(&full.0).unwrap();
        for piece in [1 << 20, 1 << 12, 1] {
            while file.write_all(&vec![0xa5; piece]).is_ok() {}
        }
        file.sync_all().unwrap();
        full
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

impl Drop for Full {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
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

/// The server refuses in time what must be on record, of which nothing is done or shown, and does all else at once. The
/// lead has an address at `b.example`, and the key is the only one.
pub(crate) async fn refuses_in_time_what_must_be_on_record(server: &Server, key: &Key, lead: &str) {
    let path = format!("/v1/leads/{lead}");
    let in_the_clear = || {
        let request = server.request(Method::GET, &path, key);
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
    for must in musts {
        assert_refused(must).await;
        let event = server.post("/v1/events", key, &page_view(random_secret()));
        assert_at_once(event, StatusCode::ACCEPTED).await;
        let masked = server.request(Method::GET, &path, key);
        assert_at_once(masked, StatusCode::OK).await;
        for page in ["/healthz", "/readyz", "/metrics"] {
            assert_at_once(server.admin(Method::GET, page), StatusCode::OK).await;
        }
    }
    assert_eq!(count(server.data(), "apikey_cache_api_key").await, 1);
    let (_, components) = readiness(server).await;
    assert_eq!(components["audit_log"]["state"], "degraded", "{components}");
    // As long as somebody asks: a note that is small enough may find room, and all is well then.
    wait_for("callers who are told", async || {
        drop(in_the_clear().send().await.unwrap());
        is_degraded(server, "audit_behind").await.then_some(())
    })
    .await;
}

/// Reads are recorded and answered again, without a restart.
pub(crate) async fn goes_on(server: &Server, key: &Key, lead: &str) {
    wait_for("a read when the disk goes on", async || {
        let status = server.read_lead(key, lead).await.status();
        (status == StatusCode::OK).then_some(())
    })
    .await;
    let (_, components) = readiness(server).await;
    assert_eq!(components["audit_log"]["state"], "up", "{components}");
    wait_until_well(server, "audit_behind").await;
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
