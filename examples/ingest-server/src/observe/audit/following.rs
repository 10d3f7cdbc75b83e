//! How those do who follow the audit log: sinks and rules.

use portcullis_audit_log::rule::Rule;
use portcullis_telemetry::{Label, MetricError, Registry};

use super::archive;
use crate::{
    audit::{EndedVerifications, Leadership, Suspicions},
    backend::AuditFollowing,
    delivery::{Deliveries, DeliveryState},
    observe::{SMALL, number},
};

/// Registers how those do who follow the log.
pub(crate) fn register_audit_following(
    registry: &Registry,
    following: &AuditFollowing,
) -> Result<(), MetricError> {
    register_leadership(registry, &following.leadership)?;
    register_deliveries(registry, &following.deliveries)?;
    archive::register(registry, following.archive.as_ref())?;
    register_ended(registry, &following.ended)?;
    register_suspicions(registry, &following.suspicions)
}

/// Registers how often the log of a process that has ended was not found sound.
fn register_ended(registry: &Registry, ended: &EndedVerifications) -> Result<(), MetricError> {
    let ended = ended.clone();
    registry.observed_counter(
        "ingest_audit_ended_verify_failures",
        "Verifications that did not find the audit log of a process that has ended as it was signed: the status names it",
        move || number(ended.failures()),
    )
}

/// Registers whether this process follows the log.
fn register_leadership(registry: &Registry, leadership: &Leadership) -> Result<(), MetricError> {
    let leadership = leadership.clone();
    registry.observed_gauge(
        "ingest_audit_leader",
        "1 if this process follows the audit log: delivers it, looks for suspicious access, verifies it each day and \
         takes away what is too old; of those that share a log one does",
        move || f64::from(u8::from(leadership.is_leading())),
    )
}

/// Registers what each sink has delivered and how far it is behind.
fn register_deliveries(registry: &Registry, deliveries: &Deliveries) -> Result<(), MetricError> {
    let states = |value: fn(&DeliveryState) -> f64| {
        let deliveries = deliveries.clone();
        move || {
            let states = deliveries.states().into_iter();
            let samples = states.map(|state| {
                let value = value(&state);
                ([state.name], value)
            });
            samples.collect::<Vec<_>>()
        }
    };
    let sink = || [Label::from("sink")];
    registry.observed_gauge_family(
        "ingest_audit_sink_lag_seconds",
        "For how long the oldest entry of the audit log waits that a sink has not delivered",
        sink(),
        SMALL,
        states(|state| state.lag.as_secs_f64()),
    )?;
    registry.observed_gauge_family(
        "ingest_audit_sink_ended",
        "1 if a sink delivers no more: its receiver is gone, or took nothing in all attempts; see the log",
        sink(),
        SMALL,
        states(|state| f64::from(u8::from(state.has_ended))),
    )?;
    registry.observed_counter_family(
        "ingest_audit_sink_delivered",
        "Entries of the audit log that a sink has delivered",
        sink(),
        SMALL,
        states(|state| number(state.delivered)),
    )?;
    registry.observed_counter_family(
        "ingest_audit_sink_failures",
        "Attempts to deliver entries of the audit log that failed",
        sink(),
        SMALL,
        states(|state| number(state.failed)),
    )?;
    registry.observed_counter_family(
        "ingest_audit_sink_missed",
        "Entries of the audit log that were taken away by their age before a sink had delivered them",
        sink(),
        SMALL,
        states(|state| number(state.missed)),
    )
}

/// Registers what the rules have found.
fn register_suspicions(registry: &Registry, suspicions: &Suspicions) -> Result<(), MetricError> {
    let suspicions = suspicions.clone();
    registry.observed_counter_family(
        "ingest_audit_suspicious",
        "Suspicious access that a rule found, and put on record as `audit.suspicious`",
        [Label::closed(
            "rule",
            Rule::ALL.map(|rule| rule.code().as_str()),
        )],
        SMALL,
        move || {
            let counts = suspicions.counts();
            let samples = counts.map(|(rule, count)| ([rule.code().as_str()], number(count)));
            samples.collect::<Vec<_>>()
        },
    )
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use portcullis_audit_log::{
        checkpoint::Policy,
        clock::SystemClock,
        event::{
            Action, Activity, Actor, ActorType, Delivery, EventBuilder, EventId, Id, Stamp,
            Timestamp,
        },
        note::SigningKey,
        source::FolderSource,
        store::{Group, MemoryStore, Store},
        verify::Verification,
    };
    use secrecy::SecretBox;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
        time::{Duration, sleep, timeout},
    };

    use super::*;
    use crate::{
        config::GivenSinks,
        files::FilePolicy as _,
        observe::{movement::assert_moved, scraped},
    };

    /// A log whose first bundle was taken away.
    async fn pruned_log(leaves: u64) -> Arc<dyn Store> {
        let (store, tenant) = (MemoryStore::new(), Id::constant("acme"));
        let appending = store.lock(std::slice::from_ref(&tenant)).await.unwrap();
        let mut group = Group::new(appending.state());
        for n in 0..leaves {
            let actor = Actor::new(ActorType::System, Id::constant("a"));
            let action = Action::new("lead.read");
            let event = EventBuilder::new(tenant.clone(), action, Activity::Read, actor);
            let time = Timestamp::from_unix_micros(1_767_225_600_000_000 + n).unwrap();
            let id = EventId::new(time, [7; 10]);
            let stamp = Stamp::new(id, time, Delivery::Must, Id::constant("a"));
            group.push(&event.build(stamp).unwrap(), None).unwrap();
        }
        appending.commit(&group).await.unwrap();
        assert_eq!(store.prune(leaves).await.unwrap(), 256);
        Arc::new(store)
    }

    /// A receiver that wants no more.
    async fn gone() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let read = stream.read(&mut [0; 4_096]).await;
            assert!(read.unwrap() > 0);
            let answer = b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            // What is left unread would take the answer with it.
            while let Ok(1..) = stream.read(&mut [0; 4_096]).await {}
        });
        port
    }

    #[tokio::test]
    async fn what_is_delivered_fails_ends_and_is_missed_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        fs::write(folder.path().join("secret"), secret).unwrap();
        let text = format!(
            "[sink.file]\nkind = \"ocsf-file\"\npath = \"{dir}/lines\"\n\
             [sink.gone]\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{port}/\"\ncleartext = true\n\
             networks = [\"127.0.0.0/8\"]\nsecret_file = \"{dir}/secret\"\n",
            dir = folder.path().display(),
            port = gone().await,
        );
        let given = GivenSinks::from_text(text.as_bytes()).unwrap();
        let log = pruned_log(300).await;
        let clock = Arc::new(SystemClock::new());
        let (deliveries, run) = Deliveries::new(&given.sinks, &log, clock).unwrap();
        let registry = Registry::new();
        register_deliveries(&registry, &deliveries).unwrap();

        let before = scraped(&registry);
        assert_eq!(deliveries.cursors(false).count(), 2);
        let running = tokio::spawn(run);
        let done = async {
            while !deliveries
                .states()
                .iter()
                .all(|it| it.has_ended || it.delivered == 44)
            {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(20), done).await.unwrap();
        running.abort();
        assert_moved(
            &before,
            &scraped(&registry),
            [
                "ingest_audit_sink_lag_seconds",
                "ingest_audit_sink_ended",
                "ingest_audit_sink_delivered_total",
                "ingest_audit_sink_failures_total",
                "ingest_audit_sink_missed_total",
            ],
        );
        // What has ended keeps nothing in the log.
        let left: Vec<_> = deliveries.cursors(false).collect();
        assert_eq!(left, [Id::constant("sink/file")]);
        let lines = fs::read_to_string(folder.path().join("lines")).unwrap();
        assert_eq!(lines.lines().count(), 44);
    }

    #[test]
    fn logs_of_ended_processes_that_are_not_sound_are_counted() {
        let registry = Registry::new();
        let ended = EndedVerifications::default();
        register_ended(&registry, &ended).unwrap();
        let before = scraped(&registry);
        let nothing = tempfile::tempdir().unwrap();
        let seed = SecretBox::new(Box::new([7; 32]));
        let key = SigningKey::from_seed("test.example/audit".parse().unwrap(), &seed).unwrap();
        let policy = Policy::new(vec![key.verifying_key().clone()]).unwrap();
        let source = FolderSource::new(nothing.path());
        let report = Verification::new(&source, &policy).run();
        ended.add("server-2", "2026-05-01T00:00:00Z".to_owned(), &report);
        assert_moved(
            &before,
            &scraped(&registry),
            ["ingest_audit_ended_verify_failures_total"],
        );
        assert_eq!(ended.last().len(), 1);
    }

    #[tokio::test]
    async fn who_follows_the_log_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let leadership = Leadership::by_lock(folder.path().join("leader"), "a".into());
        let registry = Registry::new();
        register_leadership(&registry, &leadership).unwrap();
        let before = scraped(&registry);
        assert_eq!(before["ingest_audit_leader"], 0.0);
        leadership.lead(async {}).await;
        assert_moved(&before, &scraped(&registry), ["ingest_audit_leader"]);
    }

    #[test]
    fn what_each_rule_finds_is_counted() {
        let (registry, suspicions) = (Registry::new(), Suspicions::default());
        register_suspicions(&registry, &suspicions).unwrap();
        let before = scraped(&registry);
        suspicions.add(Rule::BreakGlass);
        let after = scraped(&registry);
        assert_moved(&before, &after, ["ingest_audit_suspicious_total"]);
        assert_eq!(
            after["ingest_audit_suspicious_total{rule=\"break_glass\"}"],
            1.0
        );
    }
}
