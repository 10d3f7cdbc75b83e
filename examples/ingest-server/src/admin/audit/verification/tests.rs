//! One verification at a time, and what is on record of it.

use portcullis_audit_log::search::Query;

use super::*;
use crate::{
    admin::audit::test_log,
    audit::{AuditActor, actions::LEAD_READ},
    clock::SystemClock,
    json,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_schedule_verifies_all_of_it_once_at_a_time_and_puts_it_on_record() {
    let (log, writing) = test_log::in_memory().await;
    let clock = Arc::new(SystemClock);
    let verifications = Verifications::new(log.clone(), clock);

    let mut ends = verifications.job.ends();
    assert_eq!(verifications.start_daily().unwrap().state, "running");
    // Nobody writes the log yet, so that it cannot have ended.
    verifications.start_daily().unwrap_err();
    let _writing = tokio::spawn(writing);
    ends.changed().await.unwrap();
    let status = verifications.status();
    assert_eq!(status.state, "done", "{status:?}");
    assert!(0 < status.done && status.done <= status.total, "{status:?}");
    let verified = status.report.unwrap();
    assert_eq!((verified.outcome.as_str(), verified.from), ("sound", 0));
    assert!(verifications.tally().last_success().is_some());
    assert_eq!(verifications.tally().failures(), 0);
    let page = log.reading().search(None, &Query::default()).await;
    let leaf = &page.unwrap().events[0].leaf;
    let leaf = String::from_utf8(leaf.clone()).unwrap();
    for part in [
        r#""action":"audit.verified""#,
        r#""id":"schedule""#,
        r#""id":"whole""#,
        r#""outcome":"success""#,
    ] {
        assert!(leaf.contains(part), "{leaf}");
    }

    // The log has only grown since.
    let actor = AuditActor::Anonymous;
    let draft = AuditDraft::new(Some("acme"), LEAD_READ, actor);
    log.record(draft).await.unwrap();
    verifications.start_daily().unwrap();
    ends.changed().await.unwrap();
    let verified = verifications.status().report.unwrap();
    assert_eq!(verified.outcome, "sound", "{verified:?}");
}

#[test]
fn a_range_has_an_entry() {
    let read = |text: &str| {
        let value = json::read(text.as_bytes()).unwrap();
        serde_json::from_value::<VerificationRequest>(value).unwrap()
    };
    assert_eq!(read("{}").range(0), Ok(0..u64::MAX));
    assert_eq!(read(r#"{"from":256}"#).range(257), Ok(256..u64::MAX));
    assert_eq!(read(r#"{"from":1,"to":2}"#).range(10), Ok(1..2));
    let empty = "`to` must be more than `from`, as it is not included";
    let late = "`from` must be less than 10, as the log has so many, from 0 on";
    for (text, expected, wrong) in [
        (r#"{"from":0,"to":0}"#, "entries 0 to 0 are", empty),
        (r#"{"to":0}"#, "entries 0 to 0 are", empty),
        (r#"{"from":2,"to":2}"#, "entries 2 to 2 are", empty),
        (r#"{"from":5,"to":3}"#, "entries 5 to 3 are", empty),
        (r#"{"from":10,"to":20}"#, "entries 10 to 20 are", late),
        (
            r#"{"from":5000,"to":6000}"#,
            "entries 5000 to 6000 are",
            late,
        ),
    ] {
        let refused = read(text).range(10).unwrap_err().to_string();
        assert_eq!(refused, format!("{expected} to be verified: {wrong}"));
    }
}
