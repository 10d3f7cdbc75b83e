//! What is asked in a round, and what has to come of it.

use std::time::Duration;

use http::{Method, StatusCode};
use rand::{RngExt as _, rngs::StdRng};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    client::{Client, Shown, answer},
    failure::Failure,
};
use crate::{
    admin::PROBE_SOURCE,
    clock::Clock,
    observe::{Journey, Step},
};

const EVENTS: &str = "/v1/events";
const LEADS: &str = "/v1/leads";

/// What came of a round of a journey.
#[derive(Debug)]
pub(super) struct Round {
    journey: Journey,
    tried: Vec<Tried>,
}

/// A step that was tried.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) step: Step,
    pub(super) came_of_it: Result<(), Failure>,
    pub(super) took: Duration,
}

/// One round. A step that fails holds up those alone that have nothing to go on with without it.
pub(super) async fn round(
    client: &Client,
    journey: Journey,
    random: &mut StdRng,
    clock: &dyn Clock,
) -> Round {
    let mut steps = Steps {
        clock,
        round: Round {
            journey,
            tried: Vec::new(),
        },
    };
    match journey {
        Journey::Write => write(&mut steps, client, random).await,
        Journey::Lead => lead(&mut steps, client, random).await,
        Journey::Keys => keys(&mut steps, client).await,
    }
    steps.round
}

/// A round that goes on.
struct Steps<'a> {
    clock: &'a dyn Clock,
    round: Round,
}

impl Steps<'_> {
    /// Tries a step; nothing where it fails.
    async fn step<T>(
        &mut self,
        step: Step,
        trying: impl Future<Output = Result<T, Failure>>,
    ) -> Option<T> {
        let began = self.clock.monotonic();
        let (result, came_of_it) = match trying.await {
            Ok(result) => (Some(result), Ok(())),
            Err(failure) => (None, Err(failure)),
        };
        let took = self.clock.monotonic().saturating_sub(began);
        self.round.tried.push(Tried {
            step,
            came_of_it,
            took,
        });
        result
    }

    /// Whether the last step had no answer: the next would wait for one as long again.
    fn is_in_the_dark(&self) -> bool {
        let last = self.round.tried.last();
        let failure = last.and_then(|tried| tried.came_of_it.as_ref().err());
        failure.is_some_and(Failure::has_no_answer)
    }
}

async fn write(steps: &mut Steps<'_>, client: &Client, random: &mut StdRng) {
    let event = json!([{
        "specversion": "1.0",
        "type": "page.viewed",
        "source": PROBE_SOURCE,
        "id": make_id(random).to_string(),
        "data": { "url": "https://www.example.com/" },
    }]);
    let send = async |accepted: u64, duplicates: u64, otherwise| {
        let request = client
            .request(Method::POST, EVENTS, Shown::Key)
            .json(&event);
        let answer = answer(request, StatusCode::ACCEPTED).await?;
        if answer["accepted"] == accepted && answer["duplicates"] == duplicates {
            Ok(())
        } else {
            Err(Failure::Content(otherwise))
        }
    };
    let sent = steps.step(Step::Event, send(1, 0, "an event was not accepted"));
    if sent.await.is_some() {
        let again = send(
            0,
            1,
            "an event that came again was not counted as a duplicate",
        );
        steps.step(Step::Duplicate, again).await;
    }
}

async fn lead(steps: &mut Steps<'_>, client: &Client, random: &mut StdRng) {
    let local = format!("probe-{}", make_id(random).simple());
    let email = format!("{local}@example.com");
    let Some(id) = steps.step(Step::Create, create(client, &email)).await else {
        return;
    };
    let path = format!("{LEADS}/{id}");
    steps.step(Step::Read, read(client, &path, &local)).await;
    if !steps.is_in_the_dark() {
        steps
            .step(Step::Find, find(client, &email, &local, &id))
            .await;
    }
    // In any case: what was created is not to stay.
    let erased = steps.step(Step::Erase, async {
        let request = client.request(Method::DELETE, &path, Shown::Key);
        answer(request, StatusCode::NO_CONTENT).await
    });
    if erased.await.is_some() {
        let gone = async {
            let request = client.request(Method::GET, &path, Shown::Key);
            answer(request, StatusCode::NOT_FOUND).await
        };
        steps.step(Step::Gone, gone).await;
    }
}

async fn create(client: &Client, email: &str) -> Result<Uuid, Failure> {
    let request = client.request(Method::POST, LEADS, Shown::Key);
    let answer = answer(
        request.json(&json!({ "email": email })),
        StatusCode::CREATED,
    )
    .await?;
    let id = answer["id"]
        .as_str()
        .and_then(|id| Uuid::parse_str(id).ok());
    id.ok_or(Failure::Content("a lead was created and has no id"))
}

async fn read(client: &Client, path: &str, local: &str) -> Result<(), Failure> {
    let request = client.request(Method::GET, path, Shown::Key);
    let answer = answer(request, StatusCode::OK).await?;
    require_masked(&answer, local)
}

async fn find(client: &Client, email: &str, local: &str, id: &Uuid) -> Result<(), Failure> {
    let path = format!("{LEADS}?email={}", email.replace('@', "%40"));
    let request = client.request(Method::GET, &path, Shown::Key);
    let answer = answer(request, StatusCode::OK).await?;
    let found = answer["leads"].as_array().map_or(&[][..], Vec::as_slice);
    let [lead] = found else {
        return Err(Failure::Content("a lead was not found by its e-mail"));
    };
    if lead["id"] != id.to_string() {
        return Err(Failure::Content("another lead was found by an e-mail"));
    }
    require_masked(lead, local)
}

/// The probe gives no reason, without which nobody sees more, whatever its key may do.
fn require_masked(lead: &Value, local: &str) -> Result<(), Failure> {
    let Some(shown) = lead["email"].as_str() else {
        return Err(Failure::Content("the e-mail of a lead was not shown"));
    };
    if shown.contains(local) {
        return Err(Failure::Content("an e-mail was shown in the clear"));
    }
    Ok(())
}

async fn keys(steps: &mut Steps<'_>, client: &Client) {
    let ask = async {
        let path = format!("{LEADS}/{}", Uuid::nil());
        let request = client.request(Method::GET, &path, Shown::Revoked);
        answer(request, StatusCode::UNAUTHORIZED).await
    };
    steps.step(Step::Revoked, ask).await;
}

fn make_id(random: &mut StdRng) -> Uuid {
    uuid::Builder::from_random_bytes(random.random()).into_uuid()
}

impl Round {
    pub(super) fn tried(&self) -> &[Tried] {
        &self.tried
    }

    /// The steps that had nothing to go on with.
    pub(super) fn not_reached(&self) -> impl Iterator<Item = Step> {
        let is_tried = |step: &Step| self.tried.iter().any(|tried| tried.step == *step);
        self.steps().filter(move |step| !is_tried(step))
    }

    /// The step at which it failed.
    pub(super) fn failed_at(&self) -> Option<Step> {
        let mut tried = self.tried.iter();
        let failed = tried.find(|tried| tried.came_of_it.is_err());
        failed.map(|tried| tried.step)
    }

    /// How many steps did not succeed.
    pub(super) fn failed(&self) -> usize {
        let failed = self.tried.iter().filter(|tried| tried.came_of_it.is_err());
        failed.count() + self.not_reached().count()
    }

    /// A line for each step.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |step: Step| {
            let tried = self.tried.iter().find(|tried| tried.step == step);
            let what = match tried {
                None => "not reached".to_owned(),
                Some(Tried {
                    came_of_it: Ok(()),
                    took,
                    ..
                }) => format!("ok in {} ms", took.as_millis()),
                Some(Tried {
                    came_of_it: Err(failure),
                    took,
                    ..
                }) => format!("failed after {} ms: {failure}", took.as_millis()),
            };
            let (journey, step) = (self.journey.as_str(), step.as_str());
            format!("{journey:<6} {step:<10} {what}")
        };
        self.steps().map(line).collect()
    }

    fn steps(&self) -> impl Iterator<Item = Step> + use<> {
        let journey = self.journey;
        let steps = Step::ALL.into_iter();
        steps.filter(move |step| step.journey() == journey)
    }
}
