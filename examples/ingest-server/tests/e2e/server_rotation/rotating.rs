//! Key-encryption key, data keys, index root and pepper are replaced, each as far as its end.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::{
    erasing::{self, Others},
    operator::{Operator, until},
    people::Person,
    traffic::Load,
};
use crate::{
    files_of_secrets::REFUSED,
    harness::{Key, Server, wait_for},
};

const KEKS: &str = "PORTCULLIS_KEKS";
const ROOTS: &str = "PORTCULLIS_INDEX_ROOTS";
const PEPPERS: &str = "PORTCULLIS_KEY_PEPPERS";

/// What a host has when everything that was replaced has left it.
#[derive(Debug)]
pub(super) struct Dropped {
    tag_keys: String,
    /// What the environment of a backup is, beside that.
    both: [(&'static str, String); 2],
    erased: erasing::Erased,
}

/// Rotates and erases everything while the load goes on.
pub(super) async fn run(
    operator: &Operator,
    servers: &[Server; 2],
    load: &Arc<Load>,
    (others, doomed): (Others, &[Arc<Person>]),
    said: &impl Fn(&str),
) -> Dropped {
    replace_kek(operator, servers).await;
    load.tally.check("after the KEK");
    said("the KEK is replaced, and the one before dropped");
    let [first_root, first_pepper] = [ROOTS, PEPPERS].map(|name| operator.files.first(name));
    let second_root = operator.add_second(servers, ROOTS).await;
    let second_pepper = operator.add_second(servers, PEPPERS).await;
    for server in servers {
        others.use_key(server).await;
    }
    let index = async {
        replace_index(operator, doomed).await;
        said("the index is under the new root");
    };
    let keys = async {
        let mut traces = others.traces(operator, doomed).await;
        replace_data_keys(operator, load, said).await;
        traces.extend(others.traces(operator, doomed).await);
        erasing::run(operator, load, others, doomed, traces, said).await
    };
    let ((), erased) = tokio::join!(index, keys);
    load.tally.check("after the index and the data keys");

    // The former root leaves the environment of servers that go on; the pepper does with the next start, when
    // its tag key is there.
    operator.replace(servers, ROOTS, &second_root).await;
    until("keys that need no former pepper", async || {
        let shown = operator.done(&["api-key", "peppers", "--json"]).await;
        let first = shown.iter().find(|line| line["version"] == 1).unwrap();
        (first["hashed"] == 0).then_some(())
    })
    .await;
    let tag_keys = operator.text(&["api-key", "tag-key", "1"]).await;
    operator.files.write("tag-keys", tag_keys.trim());
    operator.files.write(PEPPERS, &second_pepper);
    said("everything that was before has left the files");
    Dropped {
        tag_keys: operator.files.path("tag-keys").display().to_string(),
        both: [
            (ROOTS, format!("{first_root},{second_root}")),
            (PEPPERS, format!("{first_pepper},{second_pepper}")),
        ],
        erased,
    }
}

impl Dropped {
    /// Two servers that know nothing of what was before.
    pub(super) fn start(&self, operator: &Operator) -> [Server; 2] {
        [(); 2].map(|()| {
            let mut command = operator.files.command();
            command.env("PORTCULLIS_KID_TAG_KEYS_FILE", &self.tag_keys);
            let mut server = Server::start_command(&operator.files.data, command);
            server.use_token(&operator.files.first("INGEST_ADMIN_TOKEN"));
            server
        })
    }

    /// A backup from before the erasures, restored with the roots and peppers of its time, brings nobody back.
    pub(super) async fn restore(self, operator: &Operator, servers: [Server; 2], key: &Key) {
        for server in servers {
            assert!(server.terminate().success());
        }
        self.erased.restore(operator);
        for (name, text) in &self.both {
            operator.files.write(name, text);
        }
        let servers = self.start(operator);
        self.erased.check(operator, &servers, key).await;
        for server in servers {
            assert!(server.terminate().success());
        }
    }
}

/// The KEK: known everywhere, then primary, then everything is wrapped under it, then it is alone.
async fn replace_kek(operator: &Operator, servers: &[Server; 2]) {
    let second = operator.add_second(servers, KEKS).await;
    // Too early: no server takes that over, and all go on.
    operator.files.write(KEKS, &second);
    for server in servers {
        wait_for("a refusal", async || {
            server.logs().contains(REFUSED).then_some(())
        })
        .await;
    }
    let both = format!("{},{second}", operator.files.first(KEKS));
    operator.files.write(KEKS, &both);
    let rewrapped = operator.done(&["keys", "rewrap", "--json"]).await;
    let keys = &rewrapped[0]["keys"];
    assert_eq!(rewrapped[0]["kek_versions"], json!({ "2": keys }));
    operator.replace(servers, KEKS, &second).await;
}

/// The index root; the first attempt is killed in the middle of the work.
async fn replace_index(operator: &Operator, untouched: &[Arc<Person>]) {
    // Nobody writes these, so that only the backfill gives them values.
    let ids: Vec<String> = untouched
        .iter()
        .map(|it| format!("'{}'", it.id()))
        .collect();
    let filled = format!(
        "SELECT count(*) FROM lead_index WHERE version = 2 AND lead IN ({})",
        ids.join(",")
    );
    let mut database = operator.files.data.connect().await;
    let rotate = ["index", "rotate", "--json"];
    operator
        .killed(&rotate, async || {
            operator.number(&mut database, &filled).await > 0
        })
        .await;
    let status = ["index", "rotate", "--status", "--json"];
    let live = operator.done(&status).await[0]["live"].take();
    assert_eq!(live.as_array().unwrap().len(), 2, "{live}");
    let rotated = operator.done(&rotate).await;
    assert_eq!(rotated[0]["outcome"], "done", "{rotated:?}");
    let former = "SELECT count(*) FROM lead_index WHERE version = 1";
    assert_eq!(operator.number(&mut database, former).await, 0);
}

/// The data keys of a tenant: rotated, its rows sealed again by a process that is killed three times, and
/// destroyed when no row needs them, and not before.
async fn replace_data_keys(operator: &Operator, load: &Load, said: &impl Fn(&str)) {
    let rotate = ["keys", "rotate", "--tenant", "acme", "--json"];
    let rotated = operator.done(&rotate).await;
    assert_eq!(rotated[0]["failed"], json!([]), "{rotated:?}");
    let rotated = rotated[0]["rotated"].as_array().unwrap();
    // What seals beside the audit log is kept for as long as the tenant.
    let former: Vec<String> = rotated
        .iter()
        .filter(|key| key["purpose"] != "audit")
        .map(|key| key["former"].as_str().unwrap().to_owned())
        .collect();
    assert!(former.len() >= 3, "{rotated:?}");
    for key in &former {
        let message = operator.refused(&["keys", "disable", key]).await;
        assert!(message.contains("it is too soon"), "{message}");
    }
    load.tally.check("after the data keys");
    said("the data keys are rotated");

    let numbers: Vec<String> = former
        .iter()
        .map(|key| u32::from_str_radix(key, 16).unwrap().to_string())
        .collect();
    let numbers = numbers.join(",");
    let left = format!("SELECT count(*) FROM sealed_ref WHERE key_id IN ({numbers})");
    let mut database = operator.files.data.connect().await;
    let all = operator.number(&mut database, &left).await;
    // Slow enough to be killed where it is to be.
    let pace = (all / 12).max(1).to_string();
    let slowly = ["keys", "reencrypt", "--rows-per-second", &pace];
    for percent in [85, 50, 15] {
        operator
            .killed(&slowly, async || {
                operator.number(&mut database, &left).await <= all * percent / 100
            })
            .await;
    }
    assert!(operator.number(&mut database, &left).await > 0);
    said("the re-encryption was killed three times");
    // When it may be asked, a key goes only if nothing needs it.
    let needed = until("the time in which keys are still used", async || {
        let message = operator.refused(&["keys", "disable", &former[0]]).await;
        (!message.contains("it is too soon")).then_some(message)
    });
    let needed = needed.await;
    assert!(needed.contains("rows still need the key"), "{needed}");
    let sealed = operator.done(&["keys", "reencrypt", "--json"]).await;
    let outcome = (&sealed[0]["failed"], &sealed[0]["left"]);
    assert_eq!(outcome, (&json!(0), &json!(0)), "{sealed:?}");
    assert_eq!(operator.number(&mut database, &left).await, 0);
    let verified = operator.done(&["keys", "verify", "--json"]).await;
    assert_eq!(verified[0]["failed"], 0, "{verified:?}");
    let counted: Vec<&str> = verified[0]["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|count| count["key"].as_str().unwrap())
        .collect();
    assert!(!former.iter().any(|key| counted.contains(&key.as_str())));
    for key in operator
        .done(&["keys", "list", "--state", "decrypt-only", "--json"])
        .await
    {
        assert_eq!(key["rows"], 0, "{key}");
    }
    said("no row needs a former data key");
    for key in &former {
        let waiting = operator.done(&["keys", "destroy", key, "--json"]).await;
        assert_eq!(waiting[0]["state"], "destroy-scheduled");
        let message = operator.refused(&["keys", "destroy", key]).await;
        assert!(message.contains("it is too soon"), "{message}");
    }
    // Seven days later.
    let later = Duration::from_secs(8 * 24 * 60 * 60).as_millis();
    let age = format!(
        "UPDATE keyring_data_key
         SET state_since = state_since - {later}, created_at = created_at - {later}
         WHERE key_id IN ({numbers})"
    );
    sqlx::query(sqlx::AssertSqlSafe(age))
        .execute(&mut database)
        .await
        .unwrap();
    for key in &former {
        let destroyed = operator.done(&["keys", "destroy", key, "--json"]).await;
        assert_eq!(destroyed[0]["state"], "destroyed");
    }
    load.tally.check("after former data keys were destroyed");
    said("the former data keys are destroyed");
}
