//! Disks and databases.

use std::fs;

use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use rustix::{
    fs::statvfs,
    process::{Resource, Rlimit, prlimit},
};
use serde_json::{Value, json};

use super::{Sender, Stage, again, at_one_address, command, pid, scraped, start};
use crate::{
    database_faults::{FlippedPage, page_of_events},
    disks::Disk,
    harness::{ALL_SCOPES, Data, Server, page_view, slow_down, wait_for, waiting_rows},
};

/// Nothing can be written any more, or all of it again.
pub(in crate::server_alerts) fn disk_is_full(server: &Server, full: bool) {
    let limit = Rlimit {
        current: full.then_some(0),
        maximum: None,
    };
    prlimit(Some(pid(server)), Resource::Fsize, limit).unwrap();
}

/// Of one process; that of another is nearly full.
pub(super) async fn a_full_disk(stage: &Stage) {
    let server = start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    let instance = stage.watch(&server);
    let _sender = Sender::of_events(&server, &key.text, 10);

    let (data, place) = (Data::new(), tempfile::tempdir().unwrap());
    let disk = Disk::new(place.path());
    let mut command = command(&data);
    command.env("INGEST_DATA_DIR", disk.path().join("data"));
    let filling = Server::start_command(&data, command);
    let nearly_full = stage.watch(&filling);
    stage.healthy().await;

    let cause = stage.now();
    disk_is_full(&server, true);
    let filler = disk.path().join("filler");
    fs::write(&filler, vec![1; all_but_a_twentieth(&disk)]).unwrap();
    let reads = async {
        for _ in 0..3 {
            server.read_lead(&key, &lead).await;
            scraped().await;
        }
    };
    let pages = async {
        cause.fires("CommitFailing", &instance, "pager").await;
        cause.fires("ServerErrors", &instance, "pager").await;
        cause.fires("AuditRefusing", &instance, "pager").await;
        cause.fires("DiskFilling", &nearly_full, "pager").await;
        // It is of all processes, and tells no instance.
        cause.fires("ErrorBudgetBurn", "", "pager").await;
    };
    tokio::join!(reads, pages);
    stage.all_fired().await;
    disk_is_full(&server, false);
    fs::remove_file(filler).unwrap();
    let mended = stage.now();
    mended.resolves("CommitFailing", &instance).await;
    mended.resolves("ServerErrors", &instance).await;
    mended.resolves("AuditRefusing", &instance).await;
    mended.resolves("DiskFilling", &nearly_full).await;
    // Before its disk goes.
    assert!(filling.terminate().success());
}

/// How many bytes there is room for, but for a twentieth of the whole.
fn all_but_a_twentieth(disk: &Disk) -> usize {
    let of = statvfs(disk.path()).unwrap();
    let blocks = of.f_bavail - of.f_blocks / 20;
    usize::try_from(blocks * of.f_frsize).unwrap()
}

fn batch(server: &Server, key: &crate::harness::Key, name: usize) -> RequestBuilder {
    let events: Value = (0..1_000)
        .map(|event| page_view(format!("{name}-{event}")))
        .collect();
    server.post("/v1/events", key, &events)
}

pub(super) async fn a_damaged_page_and_a_long_commit(stage: &Stage) {
    let data = Data::new();
    let command = at_one_address(&data);
    let server = Server::start_command(&data, again(&command));
    let key = server.issue("acme", &ALL_SCOPES).await;
    batch(&server, &key, 0).send().await.unwrap();
    let damaged = stage.watch(&server);

    let slow = start();
    let tenants = ["a", "b", "c", "d", "e"];
    let keys = join_all(tenants.map(|tenant| slow.issue(tenant, &ALL_SCOPES))).await;
    slow_down(slow.data(), 20).await;
    let full = stage.watch(&slow);
    stage.healthy().await;

    let long = slow.post("/v1/events", &keys[4], &page_view("slow")).send();
    let long = tokio::spawn(long);
    wait_for("a commit that takes long", async || {
        (waiting_rows(&slow).await > 0).then_some(())
    })
    .await;
    let filled = stage.now();
    let sent = join_all((0..9).map(|name| batch(&slow, &keys[name / 2], name).send()));

    let page = page_of_events(&data).await;
    assert!(server.terminate().success());
    let flipped = FlippedPage::of(&data, page);
    let cause = stage.now();
    let server = Server::start_command(&data, again(&command));
    let met = server.post("/v1/events", &key, &page_view("met")).send();
    let fires = async {
        drop(met.await);
        cause.fires("DatabaseCorrupt", &damaged, "pager").await;
    };
    let saturated = filled.fires("QueueSaturated", &full, "pager");
    tokio::join!(sent, fires, saturated);
    stage.all_fired().await;
    drop(long.await);
    let emptied = stage.now();
    assert!(server.terminate().success());
    flipped.put_back();
    let mended = stage.now();
    let _server = Server::start_command(&data, command);
    mended.resolves("DatabaseCorrupt", &damaged).await;
    emptied.resolves("QueueSaturated", &full).await;
    let ready = slow.admin(Method::GET, "/readyz").send().await;
    assert!(ready.is_ok());
}
