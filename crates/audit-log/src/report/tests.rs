//! What is counted, the score by hand, and forms that nothing can break out of.

use serde_json::json;

use super::*;
use crate::event::{
    Action, Activity, Actor, ActorType, Code, Delivery, EventBuilder, EventId, Field, Id, Leaf,
    LeafNumbers, Reason, Resource, ResourceType, Screen, Stamp, Timestamp,
};

const DAY: u64 = 24 * 3_600 * 1_000_000;
const START: u64 = 1_767_225_600_000_000;

#[derive(Debug)]
struct Nothing;

impl Screen for Nothing {
    fn is_personal(&self, _: &str) -> bool {
        false
    }
}

fn time(micros: u64) -> Timestamp {
    Timestamp::from_unix_micros(START + micros).unwrap()
}

/// 30 days.
fn period() -> Period {
    Period::new(time(0), time(30 * DAY))
}

struct Log {
    builder: ReportBuilder,
    n: u64,
}

impl Log {
    fn new() -> Self {
        let builder = ReportBuilder::new(period());
        Self { builder, n: 0 }
    }

    /// Shows an event of that time to the report.
    fn event(&mut self, micros: u64, event: EventBuilder) -> EventId {
        let mut random = [0; 10];
        random[2..].copy_from_slice(&self.n.to_be_bytes());
        let id = EventId::new(time(micros), random);
        let stamp = Stamp::new(id, time(micros), Delivery::Must, Id::constant("a"));
        let numbers = LeafNumbers {
            in_tree: self.n,
            in_tenant: self.n,
        };
        let mut leaf = Vec::new();
        event.build(stamp).unwrap().write_leaf(numbers, &mut leaf);
        self.builder.observe(&Leaf::parse(&leaf).unwrap());
        self.n += 1;
        id
    }

    fn finish(self) -> Report {
        self.builder.finish(Integrity::unknown(), time(37 * DAY))
    }
}

fn event(action: &'static str, activity: Activity, actor: &str) -> EventBuilder {
    let actor = Actor::new(ActorType::Person, Id::parse(actor, &Nothing).unwrap());
    EventBuilder::new(
        Id::constant("tenant-7"),
        Action::new(action),
        activity,
        actor,
    )
}

fn read(actor: &str) -> EventBuilder {
    let lead = Resource::new(ResourceType::new("lead"), Id::constant("l-1"));
    event("lead.read", Activity::Read, actor)
        .resources([lead])
        .fields([Field::new("lead.email"), Field::new("lead.phone")])
}

fn reasoned(actor: &str) -> EventBuilder {
    read(actor).reason(Reason::new(Code::new("support"), None))
}

fn suspicious() -> EventBuilder {
    event("audit.suspicious", Activity::Create, "rules")
        .reason(Reason::new(Code::new("bulk"), None))
}

fn closes(id: EventId) -> EventBuilder {
    event("audit.finding_closed", Activity::Update, "p-9").refs([id])
}

#[test]
fn without_events_there_is_no_score() {
    let report = Log::new().finish();
    assert_eq!(report.score(), None);
    assert_eq!(report.to_json()["score"], json!(null));
    assert!(report.to_markdown("Audit").contains("Score: none"));
    // What the service says of the log does not make one.
    let integrity = Integrity::unknown().verified_days(Share { pass: 30, of: 30 });
    let report = ReportBuilder::new(period()).finish(integrity, time(0));
    assert_eq!(report.score(), None);
}

#[test]
fn everything_is_counted_once() {
    let mut log = Log::new();
    log.event(1, reasoned("p-1"));
    log.event(2, reasoned("p-2").count(40));
    log.event(3, read("p-1").denied(Code::new("missing_scope")));
    log.event(
        4,
        event("lead.update", Activity::Update, "p-3").fields([Field::new("lead.email"); 2]),
    );
    let report = log.finish();
    assert_eq!(
        (report.events, report.actors, report.entries),
        (4, 3, Some((0, 3)))
    );
    assert!(!report.more_actors);
    assert_eq!(
        report.by_action.by_number(),
        [("lead.read", 3), ("lead.update", 1)]
    );
    assert_eq!(
        report.by_field.by_number(),
        [("lead.email", 4), ("lead.phone", 3)]
    );
    assert_eq!(
        report.by_outcome.by_number(),
        [("success", 3), ("denied", 1)]
    );
    // Of the one that was denied nothing was shown.
    assert_eq!(report.resources_read, 41);
    assert_eq!(report.checks.reasoned_reads, Share { pass: 2, of: 2 });
}

#[test]
fn a_period_has_its_first_moment_and_not_its_last() {
    let mut log = Log::new();
    log.event(0, read("p-1"));
    log.event(30 * DAY - 1, read("p-1"));
    log.event(30 * DAY, read("p-2"));
    let report = log.finish();
    assert_eq!(
        (report.events, report.actors, report.entries),
        (2, 1, Some((0, 1)))
    );
}

#[test]
fn the_score_is_the_weighted_mean_of_what_could_be_checked() {
    let mut log = Log::new();
    for n in 0..3 {
        log.event(n, reasoned("p-1"));
    }
    log.event(4, read("p-1"));
    // 5 events, and 15 that are missing.
    let dropped = event("audit.dropped", Activity::Other, "writer")
        .resources([Resource::new(
            ResourceType::new("action"),
            Id::constant("auth.denied"),
        )])
        .count(15);
    log.event(5, dropped);
    let builder = log.builder;
    let integrity = Integrity::unknown()
        .verified_days(Share { pass: 15, of: 30 })
        .anchored(Share { pass: 9, of: 10 });
    let report = builder.finish(integrity, time(37 * DAY));
    assert_eq!(report.dropped.by_number(), [("auth.denied", 15)]);
    assert_eq!(report.checks.not_dropped, Share { pass: 5, of: 20 });
    // There were no findings: their weight counts for nothing.
    let score = 100.0 * (3.0 * 0.75 + 3.0 * 0.25 + 2.0 * 0.5 + 0.9) / (3.0 + 3.0 + 2.0 + 1.0);
    assert!((report.score().unwrap() - score).abs() < 1e-9);
    assert!(report.to_markdown("Audit").contains("Score: 54.4 of 100"));
}

#[test]
fn a_finding_is_to_be_closed_within_seven_days() {
    let mut log = Log::new();
    let found: Vec<_> = (0..4).map(|n| log.event(n, suspicious())).collect();
    log.event(7 * DAY, closes(found[0]));
    log.event(7 * DAY + 2, closes(found[1]));
    // The first time counts.
    log.event(8 * DAY, closes(found[0]));
    let late = log.event(29 * DAY, suspicious());
    // Behind the period.
    log.event(33 * DAY, closes(late));
    let young = log.event(30 * DAY - 1, suspicious());
    let report = log.builder.finish(Integrity::unknown(), time(36 * DAY));
    assert_ne!(late, young);
    assert_eq!(report.findings.by_rule.by_number(), [("bulk", 6)]);
    // Of the four one was in time and one was late, two are open too long; one was in time; one is not due.
    assert_eq!(report.findings.closed_in_time, Share { pass: 2, of: 5 });
    assert_eq!(report.findings.open, 3);
    assert_eq!(
        report.checks.findings_closed,
        report.findings.closed_in_time
    );
}

#[test]
fn a_closing_that_nobody_waits_for_changes_nothing() {
    let mut log = Log::new();
    let other = log.event(0, read("p-1"));
    log.event(1, closes(other));
    let report = log.finish();
    assert_eq!(report.findings, FindingTotals::default());
}

#[test]
fn names_actors_and_findings_are_bounded() {
    let mut tally = Tally::default();
    for n in 0..2_000 {
        tally.add(&format!("a-{n}"), 1);
    }
    tally.add("a-0", u64::MAX);
    assert_eq!(MAX_NAMES, 1_024);
    assert_eq!(
        (tally.iter().count(), tally.others()),
        (1_024, 2_000 - 1_024)
    );
    assert_eq!((tally.of("a-0"), tally.sum()), (u64::MAX, u64::MAX));

    let mut log = Log::new();
    assert_eq!((MAX_ACTORS, MAX_FINDINGS), (100_000, 10_000));
    for n in 0..100_001 {
        log.event(n, event("x", Activity::Other, &format!("p-{n}")));
    }
    for n in 0..10_001 {
        log.event(n, suspicious());
    }
    let report = log.finish();
    assert_eq!((report.actors, report.more_actors), (100_000, true));
    assert!(
        report
            .to_markdown("Audit")
            .contains("| Actors | more than 100000 |")
    );
    assert_eq!(report.findings.by_rule.sum(), 10_001);
    assert_eq!(report.findings.open, 10_000);
}

fn some_report() -> Report {
    let mut log = Log::new();
    log.event(1, reasoned("p-1"));
    log.event(2, suspicious());
    log.finish()
}

#[test]
fn json_says_all_of_it() {
    let json = some_report().to_json();
    assert_eq!(json["from"], "2026-01-01T00:00:00.000000Z");
    assert_eq!(json["events"], 2);
    assert_eq!(json["entries"], json!({ "first": 0, "last": 1 }));
    assert_eq!(json["actors"], json!({ "count": 2, "more": false }));
    assert_eq!(
        json["by_field"]["names"],
        json!({ "lead.email": 1, "lead.phone": 1 })
    );
    assert_eq!(
        json["findings"]["closed_in_time"],
        json!({ "pass": 0, "of": 1 })
    );
    let first = json!({ "check": "reasoned reads", "weight": 3, "pass": 1, "of": 1 });
    assert_eq!(json["checks"][0], first);
    assert_eq!(json["integrity"]["checkpoint"], json!(null));
    // 3, 3 and 0 of 2.
    assert_eq!(json["score"], 75.0);
}

#[test]
fn nothing_breaks_out_of_a_page_or_a_table() {
    let title = "<script>alert(1)</script> & \"q\" 'a' | *b*\n# c `d` [e](f)";
    let page = some_report().to_html(title);
    assert!(page.contains(
        "<h1>&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;q&quot; &#39;a&#39; | *b*"
    ));
    for outside in [
        "<script", "http:", "https:", "//", "url(", "@import", "src=", "href=",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("default-src 'none'"));
    let text = some_report().to_markdown(title);
    let first = text.lines().next().unwrap();
    assert_eq!(
        first,
        "# \\<script\\>alert(1)\\</script\\> \\& \"q\" 'a' \\| \\*b\\* \\# c \\`d\\` \\[e\\](f)"
    );
}

#[test]
fn each_table_has_all_its_cells() {
    let report = some_report();
    for section in report.sections() {
        for row in &section.rows {
            assert_eq!(row.len(), section.columns.len(), "{}", section.title);
        }
    }
    let text = report.to_markdown("Audit");
    for line in [
        "| Events | 2 |",
        "| lead.read | 1 |",
        "| success | 2 |",
        "| bulk | 1 |",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let page = report.to_html("Audit");
    for tag in [
        "table", "caption", "thead", "tbody", "tr", "td", "main", "body", "html",
    ] {
        let opened =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
        assert!(opened > 0, "{tag}");
    }
}
