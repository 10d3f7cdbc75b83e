//! Readers and writers that go on until they are told to stop.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    client::{Client, Tally},
    people::{People, Person},
};

/// What all of them share.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) clients: [Client; 2],
    pub(super) people: People,
    pub(super) tally: Tally,
    /// How many there are, those included whom nobody touches.
    pub(super) next: AtomicU64,
    is_over: AtomicBool,
}

/// Readers and writers at work.
#[derive(Debug)]
pub(super) struct Traffic {
    load: Arc<Load>,
    tasks: JoinSet<()>,
}

/// From one request of one of them to the next.
const PACE: Duration = Duration::from_millis(60);
/// In so long every e-mail address is looked up once.
const ROUND: Duration = Duration::from_secs(100);
const STEP: usize = 7_919;

impl Load {
    pub(super) fn new(clients: [Client; 2]) -> Self {
        Self {
            clients,
            people: People::default(),
            tally: Tally::default(),
            next: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        }
    }

    /// Sends it to both servers at once; it makes one lead.
    async fn create(&self) {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let person = Person::new(number);
        let body = person.first_values();
        let [first, second] = &self.clients;
        let (one, other) = tokio::join!(
            first.write(&self.tally, Method::POST, "/v1/leads", &body),
            second.write(&self.tally, Method::POST, "/v1/leads", &body),
        );
        let (Some(one), Some(other)) = (one, other) else {
            return;
        };
        if one["id"] != other["id"] {
            let email = person.email();
            self.tally
                .fail(format!("{email} has two leads: {one} {other}"));
            return;
        }
        let person = self.people.add(number);
        assert!(person.got_id(one["id"].as_str().unwrap()));
    }

    /// Writes the next version of somebody, in one of the ways there are.
    async fn update(&self, client: &Client, person: &Person) {
        let _turn = person.turn.lock().await;
        let version = person.send_next();
        let values = person.values(version);
        let (method, path, body) = match version % 5 {
            2 | 4 => (Method::PATCH, format!("/v1/leads/{}", person.id()), values),
            3 => (Method::POST, "/v1/events".to_owned(), person.event(version)),
            _ => {
                let mut body = values;
                body["email"] = person.email().into();
                (Method::POST, "/v1/leads".to_owned(), body)
            }
        };
        let answer = client.write(&self.tally, method, &path, &body).await;
        let Some(answer) = answer else {
            return;
        };
        let is_event = version % 5 == 3;
        if is_event {
            self.tally.events.fetch_add(1, Ordering::Relaxed);
        }
        let is_stored = if is_event {
            answer["accepted"] == 1
        } else {
            answer["id"] == person.id()
        };
        if !is_stored {
            self.tally
                .fail(format!("version {version} of {person:?}: {answer}"));
        }
        person.acknowledge(version);
    }

    /// Sends an event that was sent before, which changes nothing.
    async fn repeat(&self, client: &Client, person: &Person) {
        let version = person.acknowledged();
        let event = match (0..=version).rev().find(|version| version % 5 == 3) {
            Some(version) if version % 2 == 1 => person.event(version),
            _ => person.first_event(),
        };
        check_repeated(&self.tally, client, &event).await;
    }
}

/// Sends an event that was sent before.
pub(super) async fn check_repeated(tally: &Tally, client: &Client, event: &Value) {
    let answer = client.write(tally, Method::POST, "/v1/events", event).await;
    tally.duplicates.fetch_add(1, Ordering::Relaxed);
    if let Some(answer) = answer
        && (answer["accepted"] != 0 || answer["duplicates"] != 1 || !answer["conflicts"].is_null())
    {
        tally.fail(format!("{event} comes again: {answer}"));
    }
}

impl Traffic {
    /// Starts them, on both servers. `seeded` were sent with their first events.
    pub(super) fn start(load: &Arc<Load>, seeded: usize) -> Self {
        let mut tasks = JoinSet::new();
        let run = |tasks: &mut JoinSet<()>, start: usize, every: Duration, work: Work| {
            let load = Arc::clone(load);
            tasks.spawn(async move {
                let mut ticks = tokio::time::interval(every);
                ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
                let mut number = start;
                while !load.is_over.load(Ordering::Relaxed) {
                    ticks.tick().await;
                    number += if matches!(work, Work::FindEmail) {
                        1
                    } else {
                        STEP
                    };
                    work.once(&load, number, seeded).await;
                }
            });
        };
        let round = ROUND / u32::try_from(seeded).unwrap();
        for start in 0..2 {
            for work in [Work::Update, Work::Read, Work::Search, Work::Repeat] {
                run(&mut tasks, start * 31, PACE, work);
            }
        }
        run(&mut tasks, 0, PACE * 5, Work::Create);
        run(&mut tasks, 0, round.min(PACE), Work::FindEmail);
        Self {
            load: Arc::clone(load),
            tasks,
        }
    }

    /// Stops them when what they have begun is done.
    pub(super) async fn end(mut self) {
        self.load.is_over.store(true, Ordering::Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

/// What one of them does again and again.
#[derive(Debug, Clone, Copy)]
enum Work {
    Create,
    Update,
    Read,
    Search,
    FindEmail,
    Repeat,
}

impl Work {
    async fn once(self, load: &Load, number: usize, seeded: usize) {
        let person = load.people.any(number);
        let client = &load.clients[number % 2];
        match self {
            Self::Create => load.create().await,
            Self::Update => load.update(client, &person).await,
            Self::Read => client.check_lead(&load.tally, &person).await,
            Self::Search => client.check_searches(&load.tally, &person).await,
            Self::FindEmail => {
                let query = format!("email={}", person.email());
                client.check_found(&load.tally, &person, &query).await;
            }
            // Those who were seeded came with an event.
            Self::Repeat => {
                let person = load.people.any(number % seeded);
                load.repeat(client, &person).await;
            }
        }
    }
}

/// Somebody who comes as an event, many at a time.
pub(super) fn batch(people: &[Arc<Person>]) -> Value {
    json!(people.iter().map(|it| it.first_event()).collect::<Vec<_>>())
}
