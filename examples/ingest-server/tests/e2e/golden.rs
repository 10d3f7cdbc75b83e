//! What the service makes of 400 requests, as it was accepted: answers, rows, outcomes, samples and metrics
//! (`tests/golden/README.md`).

#[path = "golden/accepted.rs"]
mod accepted;
#[path = "golden/aliases.rs"]
mod aliases;
#[path = "golden/frozen_cipher.rs"]
mod frozen_cipher;
#[path = "golden/requests.rs"]
mod requests;
#[path = "golden/rows.rs"]
mod rows;
#[path = "golden/scrape.rs"]
mod scrape;

use reqwest::Method;
use serde_json::Value;

use self::{
    accepted::{Observed, compare},
    aliases::Aliases,
    requests::{Callers, GROUPS, Request},
};
use crate::harness::{Data, Server};

/// Each group has a server and a database of its own: all that is refused of one can be kept as samples.
async fn assert_as_accepted(group: &str) {
    let data = Data::new();
    let server = Server::start_on(&data);
    let callers = Callers::issue(&server).await;
    let mut aliases = Aliases::default();
    let mut answers = String::new();
    for request in Request::all(group) {
        let answer = request.send(&server, &callers, &aliases).await;
        let status = answer.status().as_u16();
        let body = aliases.told(&answer.text().await.unwrap());
        answers += &format!("{}: {status} {body}\n", request.name);
    }
    let outcomes = page(&server, "/admin/quality", &aliases).await;
    let samples = page(&server, "/admin/quality/samples", &aliases).await;
    let metrics = scrape::counted(&server).await;
    assert!(server.terminate().success());
    let rows = rows::read(&data, &mut aliases).await;
    let observed: [Observed<'_>; 6] = [
        ("answers.txt", &answers),
        ("rows.txt", &rows.opened),
        ("sealed.txt", &rows.sealed),
        ("outcomes.json", &outcomes),
        ("samples.json", &samples),
        ("metrics.txt", &metrics),
    ];
    compare(group, &observed);
}

/// What an operator is shown, one member a line.
async fn page(server: &Server, path: &str, aliases: &Aliases) -> String {
    let answer = server.admin(Method::GET, path).send().await.unwrap();
    let mut body: Value = answer.json().await.unwrap();
    aliases.scrub(&mut body);
    format!("{body:#}\n")
}

#[tokio::test]
async fn what_is_right_is_answered_stored_and_counted_as_accepted() {
    assert_as_accepted("right").await;
}

#[tokio::test]
async fn what_comes_again_is_answered_stored_and_counted_as_accepted() {
    assert_as_accepted("duplicate").await;
}

#[tokio::test]
async fn broken_envelopes_are_answered_and_counted_as_accepted() {
    assert_as_accepted("envelope").await;
}

#[tokio::test]
async fn what_breaks_its_schema_is_answered_and_counted_as_accepted() {
    assert_as_accepted("schema").await;
}

#[tokio::test]
async fn personal_data_that_is_none_is_answered_and_counted_as_accepted() {
    assert_as_accepted("personal").await;
}

#[tokio::test]
async fn what_is_hostile_is_answered_stored_and_counted_as_accepted() {
    assert_as_accepted("hostile").await;
}

#[test]
fn there_are_400_requests_in_six_groups() {
    let sizes = GROUPS.map(|group| Request::all(group).count());
    assert_eq!(sizes.iter().sum::<usize>(), 400, "{sizes:?}");
}

#[test]
fn what_was_accepted_last_has_a_line_in_the_changelog() {
    accepted::assert_in_changelog();
}
