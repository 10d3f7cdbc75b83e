//! Each action that can be on record, with each outcome, is valid OCSF 1.8.0 as the service exports it: by the schemas
//! that others publish.

use std::{
    collections::BTreeSet,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use portcullis_audit_log::{
    audit::Audit,
    event::{
        Action, Activity, Actor, ActorType, Code, EventBuilder, Field, Id, Reason, Resource,
        ResourceType, TraceId,
    },
    note::{KeyName, SigningKey},
    store::FileStore,
};
use secrecy::SecretBox;
use serde_json::Value;

use crate::harness::{AUDIT_KEY, Server};

const PAGE: &str = include_str!("../../../../docs/audit.md");

/// What the log says of itself, and what the rules find in it.
const OWN: [&str; 10] = [
    "audit.closed",
    "audit.dropped",
    "audit.erased",
    "audit.gap",
    "audit.heartbeat",
    "audit.opened",
    "audit.pruned",
    "audit.rollback_accepted",
    "audit.suspicious",
    "audit.unfinished",
];

const OUTCOMES: [&str; 4] = ["success", "denied", "failure", "unknown"];

/// A row of the page's first table, which a test of the service holds against all that it can put on record.
struct Recorded {
    action: &'static str,
    activity: Activity,
    resource: &'static str,
}

fn recorded() -> Vec<Recorded> {
    let (_, table) = PAGE.split_once("| action | does | to |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.map(|row| {
        let mut cells = row.split(" | ");
        let [action, does, to] = std::array::from_fn(|_| cells.next().unwrap());
        let mut activities = Activity::ALL.iter();
        Recorded {
            action: action.strip_suffix('`').unwrap(),
            activity: *activities.find(|it| it.as_str() == does).unwrap(),
            resource: to,
        }
    });
    let own = OWN.map(|action| {
        assert!(PAGE.contains(&format!("`{action}`")), "{action}");
        Recorded {
            action,
            activity: Activity::Other,
            resource: "audit",
        }
    });
    rows.chain(own).collect()
}

impl Recorded {
    /// With the members that an entry of the service has, and without those that it may lack.
    fn draft(&self, outcome: &str, is_full: bool) -> EventBuilder {
        let kind = if is_full {
            ActorType::ApiKey
        } else {
            ActorType::System
        };
        let actor = Actor::new(kind, Id::constant("k7Qm2ZpX"));
        let (tenant, action) = (Id::constant("acme"), Action::new(self.action));
        let mut draft = EventBuilder::new(tenant, action, self.activity, actor);
        if is_full {
            let resource = ResourceType::new(self.resource);
            let reference = Some(Id::constant("T-1042"));
            draft = draft
                .resources([Resource::new(resource, Id::constant("l-1"))])
                .fields([Field::new("lead.email")])
                .reason(Reason::new(Code::new("support"), reference))
                .trace(TraceId::parse("4bf92f3577b34da6a3ce929d0e0e4736").unwrap());
        }
        let detail = Code::new("missing_scope");
        match outcome {
            "success" => draft,
            "denied" => draft.denied(detail),
            "failure" => draft.failed(detail),
            _ => draft.unknown(detail),
        }
    }
}

/// A log like that of a second server, in which all of it is.
async fn log_of_all(folder: &Path, recorded: &[Recorded]) {
    let origin: KeyName = "ingest-server/audit/server-2".parse().unwrap();
    let (_, seed) = AUDIT_KEY.split_once(':').unwrap();
    let seed: [u8; 32] = STANDARD.decode(seed).unwrap().try_into().unwrap();
    let key = SigningKey::from_seed(origin.clone(), &SecretBox::new(Box::new(seed))).unwrap();
    let store = FileStore::builder(folder).open().await.unwrap();
    let builder = Audit::builder(Arc::new(store), origin, Id::constant("server-2")).key(key);
    let (audit, writing) = builder.open().await.unwrap();
    let writing = tokio::spawn(writing);
    for recorded in recorded {
        for outcome in OUTCOMES {
            for is_full in [true, false] {
                audit.note(recorded.draft(outcome, is_full), None);
            }
        }
    }
    audit.close();
    writing.await.unwrap();
}

/// What the program says that has the schemas.
fn validated(lines: Vec<u8>) -> String {
    let program = "../../crates/audit-log/tests/server_receivers/ocsf.py";
    let mut child = Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(program))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("python3: {error}; run scripts/components install"));
    let mut stdin = child.stdin.take().unwrap();
    // One that refuses a line reads no further, and says why.
    let writer = thread::spawn(move || drop(stdin.write_all(&lines)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{why}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn each_action_of_the_service_is_valid_with_each_outcome() {
    let server = Server::start();
    let data = server.data();
    let recorded = recorded();
    assert!(recorded.len() > 50, "{}", recorded.len());
    let folder = data.path().join("audit/server-2");
    log_of_all(&folder, &recorded).await;
    let exported = data.run(&["audit", "export", "--node", "server-2"]);
    let told = String::from_utf8_lossy(&exported.stderr);
    assert!(exported.status.success(), "{told}");

    let lines = String::from_utf8(exported.stdout.clone()).unwrap();
    let events = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let found: BTreeSet<_> = events
        .map(|event| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let action = text(&event["metadata"]["event_code"]);
            let class = event["class_uid"].as_u64().unwrap();
            (action, text(&event["status_code"]), class)
        })
        .collect();
    let class = |action: &str| match action.split('.').next().unwrap() {
        "auth" => 3002,
        "api_key" | "data_key" | "detection" | "index" | "limits" | "pepper" | "tenant" => 3004,
        _ if action == "audit.suspicious" => 2004,
        _ => 6003,
    };
    let expected = recorded.iter().flat_map(|recorded| {
        let action = recorded.action;
        OUTCOMES.map(|outcome| (action.to_owned(), outcome.to_owned(), class(action)))
    });
    assert_eq!(found, expected.collect());

    // Each twice, and that the log was opened and closed.
    let said = validated(exported.stdout);
    let counts = said.split_whitespace().map(|class| {
        let (_, count) = class.split_once(':').unwrap();
        count.parse::<usize>().unwrap()
    });
    assert_eq!(counts.sum::<usize>(), recorded.len() * 4 * 2 + 2, "{said}");
}
