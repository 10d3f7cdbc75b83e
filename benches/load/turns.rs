//! Turns of load: one tenant after the other over connections that both have from the start.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{Failure, client::Connection, events::Events};

/// The senders of each tenant.
#[derive(Debug)]
pub(crate) struct Turns {
    tenants: Vec<Vec<Sender>>,
    events: usize,
}

/// One connection and what goes over it.
#[derive(Debug)]
struct Sender {
    connection: Connection,
    key: String,
    events: Events,
}

impl Turns {
    /// `connections` of each tenant, each of which sends `events` a request.
    pub(crate) fn connect(
        address: &str,
        keys: &[String],
        connections: usize,
        events: usize,
    ) -> Result<Self, Failure> {
        let sender = |key: &String, number| {
            Ok(Sender {
                connection: Connection::open(address)?,
                key: key.clone(),
                events: Events::of(number),
            })
        };
        let tenants = keys
            .iter()
            .map(|key| (0..connections).map(|number| sender(key, number)).collect())
            .collect::<Result<_, Failure>>()?;
        Ok(Self { tenants, events })
    }

    /// Lets one tenant send for a while; how many events were accepted, and in what time.
    pub(crate) fn run(
        &mut self,
        tenant: usize,
        turn: Duration,
    ) -> Result<(usize, Duration), Failure> {
        let events = self.events;
        let start = now();
        let sent = thread::scope(|scope| {
            let senders: Vec<_> = self.tenants[tenant]
                .iter_mut()
                .map(|sender| scope.spawn(move || sender.send_until(start + turn, events)))
                .collect();
            senders.into_iter().try_fold(0, |sum, sender| {
                let sent = sender.join().map_err(|_| "a sender panicked")??;
                Ok::<_, Failure>(sum + sent)
            })
        })?;
        Ok((sent * events, now().duration_since(start)))
    }
}

impl Sender {
    /// How many requests were accepted in full. Anything else ends the run: what is refused is cheap.
    fn send_until(&mut self, end: Instant, events: usize) -> Result<usize, Failure> {
        let mut sent = 0;
        while now() < end {
            let body = self.events.next(events);
            let (status, answer) = self.connection.send("POST /v1/events", &self.key, body)?;
            let expected = format!(r#"{{"accepted":{events},"duplicates":0,"rejected":[]"#);
            if status != 202 || !answer.starts_with(expected.as_bytes()) {
                let answer = String::from_utf8_lossy(answer);
                return Err(format!("events were answered with {status}: {answer}").into());
            }
            sent += 1;
        }
        Ok(sent)
    }
}

#[expect(clippy::disallowed_methods, reason = "what is measured is real time")]
fn now() -> Instant {
    Instant::now()
}
