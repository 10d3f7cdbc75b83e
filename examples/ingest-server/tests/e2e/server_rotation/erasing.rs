//! Leads and a tenant are erased under load, and nothing of them is left, nor comes back with a backup.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    client::{Client, Tally},
    operator::Operator,
    people::Person,
    traces::Traces,
    traffic::{Load, check_repeated},
};
use crate::harness::{ALL_SCOPES, Key, Server, page_view};

/// Another tenant, of which nothing is to be left.
#[derive(Debug)]
pub(super) struct Others {
    clients: [Client; 2],
    key: Key,
    people: Vec<Arc<Person>>,
}

/// What is gone, and a backup from before.
#[derive(Debug)]
pub(super) struct Erased {
    leads: Vec<String>,
    backup: PathBuf,
}

/// Leads of another tenant, and how many are erased one by one.
const OTHERS: u64 = 100;
pub(super) const DOOMED: usize = 20;
/// In so long every process forgets the keys of a tenant.
const FORGOTTEN_IN: Duration = Duration::from_secs(10);

impl Others {
    pub(super) async fn seed(servers: &[Server; 2], tally: &Tally) -> Self {
        let key = servers[0].issue("globex", &ALL_SCOPES).await;
        let clients = servers.each_ref().map(|server| Client::new(server, &key));
        let mut people = Vec::new();
        for number in 0..OTHERS {
            let person = Arc::new(Person::new(number));
            let body = person.first_values();
            let client = &clients[usize::try_from(number).unwrap() % 2];
            let lead = client
                .write(tally, Method::POST, "/v1/leads", &body)
                .await
                .unwrap();
            assert!(person.got_id(lead["id"].as_str().unwrap()));
            let event = person.event(3);
            let sent = client
                .write(tally, Method::POST, "/v1/events", &event)
                .await;
            assert_eq!(sent.unwrap()["accepted"], 1);
            people.push(person);
        }
        Self {
            clients,
            key,
            people,
        }
    }

    /// Keys are hashed again when they are used.
    pub(super) async fn use_key(&self, server: &Server) {
        let event = page_view(format!("used-{}", server.pid()));
        let answer = server.post("/v1/events", &self.key, &event).send().await;
        assert_eq!(answer.unwrap().status(), StatusCode::ACCEPTED);
    }

    /// What the database has now of all who are to be erased.
    pub(super) async fn traces(&self, operator: &Operator, doomed: &[Arc<Person>]) -> Traces {
        let mut traces = Traces::default();
        for person in doomed.iter().chain(&self.people) {
            traces.add(&operator.files.data, person.id()).await;
        }
        traces
    }
}

/// Erases, and looks for what is left.
pub(super) async fn run(
    operator: &Operator,
    load: &Arc<Load>,
    others: Others,
    doomed: &[Arc<Person>],
    traces: Traces,
    said: &impl Fn(&str),
) -> Erased {
    let data = &operator.files.data;
    let backup = data.path().join("backup");
    sqlx::query("VACUUM INTO ?")
        .bind(backup.to_str().unwrap())
        .execute(&mut data.connect().await)
        .await
        .unwrap();
    let (looked_for, found) = traces.count(data);
    assert!(found > looked_for / 2, "{found} of {looked_for}");
    for (number, person) in doomed.iter().enumerate() {
        let client = &load.clients[number % 2];
        let path = format!("/v1/leads/{}", person.id());
        let (status, answer) = client.send(Method::DELETE, &path, None).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{answer}");
        // By the other server: it came before, and stays blank.
        check_repeated(
            &load.tally,
            &load.clients[(number + 1) % 2],
            &person.first_event(),
        )
        .await;
    }
    erase_tenant(operator, others).await;
    let (_, found) = traces.count(data);
    assert_eq!(found, 0, "of {looked_for} traces");
    said("of those who were erased nothing is left");
    Erased {
        leads: doomed.iter().map(|it| it.id().to_owned()).collect(),
        backup,
    }
}

/// Erases a tenant that goes on writing by the other process, which forgets the keys in time, and knows its
/// caller no more once it has read that the API key is revoked.
async fn erase_tenant(operator: &Operator, others: Others) {
    let Others { clients, .. } = others;
    let is_over = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&is_over);
    let writing = tokio::spawn(async move {
        let mut last = None;
        let mut number = OTHERS;
        while !stop.load(Ordering::Relaxed) {
            let person = Person::new(number);
            let (began, body) = (Instant::now(), person.first_values());
            let (status, answer) = clients[1]
                .send(Method::POST, "/v1/leads", Some(&body))
                .await;
            match status {
                StatusCode::CREATED => last = Some(began),
                StatusCode::SERVICE_UNAVAILABLE => {}
                // As soon as the database says so, and until the revocation is read.
                StatusCode::FORBIDDEN => {
                    assert_eq!(answer["reason"], "auth.tenant_erased", "{answer}");
                }
                StatusCode::UNAUTHORIZED => {
                    assert_eq!(answer["reason"], "auth.invalid", "{answer}");
                    break;
                }
                _ => panic!("{status}: {answer}"),
            }
            number += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        last
    });
    let mut database = operator.files.data.connect().await;
    let destroyed = async {
        let erased = "SELECT count(*) FROM keyring_erased_tenant WHERE tenant = 'globex'";
        while operator.number(&mut database, erased).await == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Instant::now()
    };
    let erase = ["erase", "--tenant", "globex", "--all", "--json"];
    let (erased, destroyed) = tokio::join!(operator.done(&erase), destroyed);
    assert!(
        erased[0]["rows"].as_u64().unwrap() >= 2 * OTHERS,
        "{erased:?}"
    );
    is_over.store(true, Ordering::Relaxed);
    let last = writing.await.unwrap();
    let last = last.map(|last| last.saturating_duration_since(destroyed));
    eprintln!("the other process sealed for {last:?} after the keys were destroyed; {erased:?}");
    assert!(last.is_some_and(|last| last <= FORGOTTEN_IN), "{last:?}");
    check_blank(operator).await;
}

/// Nothing of the tenant is stored, and nothing of erased leads.
async fn check_blank(operator: &Operator) {
    let mut database = operator.files.data.connect().await;
    for rows in [
        "lead WHERE tenant = 'globex'",
        "lead_index WHERE tenant = 'globex'",
        "event WHERE tenant = 'globex' AND payload LIKE '%pc1.%'",
        "keyring_data_key WHERE tenant = 'globex' AND wrapped IS NOT NULL",
        "event WHERE payload LIKE '%pc1.%' AND lead NOT IN (SELECT id FROM lead)",
        "lead_index WHERE lead NOT IN (SELECT id FROM lead)",
    ] {
        let statement = format!("SELECT count(*) FROM {rows}");
        assert_eq!(
            operator.number(&mut database, &statement).await,
            0,
            "{rows}"
        );
    }
}

impl Erased {
    /// Puts the backup in the place of the database.
    pub(super) fn restore(&self, operator: &Operator) {
        let database = operator.files.data.database();
        for end in ["", "-wal", "-shm"] {
            let path = operator.files.data.path().join(format!("ingest.db{end}"));
            drop(fs::remove_file(path));
        }
        fs::rename(&self.backup, &database).unwrap();
        fs::set_permissions(database, Permissions::from_mode(0o600)).unwrap();
    }

    /// Nobody is back.
    pub(super) async fn check(&self, operator: &Operator, servers: &[Server; 2], key: &Key) {
        for id in &self.leads {
            for server in servers {
                let answer = server.read_lead(key, id).await;
                assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{id}");
            }
        }
        check_blank(operator).await;
        let mut kept = operator.files.data.connect().await;
        let statement = "SELECT id FROM lead WHERE tenant = 'acme' LIMIT 1";
        let kept: String = sqlx::query_scalar(statement)
            .fetch_one(&mut kept)
            .await
            .unwrap();
        let lead: Value = servers[0].read_lead(key, &kept).await.json().await.unwrap();
        assert_eq!(lead["id"], json!(kept));
    }
}
