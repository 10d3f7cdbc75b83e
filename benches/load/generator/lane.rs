//! One thread of the load.

use std::{
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use portcullis_benches::histogram::Histogram;
use rustix::event::epoll;

use super::pace::Schedule;
use crate::{Failure, client::Connection, now, workload::Workload};

/// An answer that takes longer never comes.
const LONGEST: Duration = Duration::from_secs(30);

/// Some of the connections.
#[derive(Debug)]
pub(super) struct Lane {
    answered: OwnedFd,
    senders: Vec<Sender>,
    /// Those that wait for no answer.
    free: Vec<usize>,
    latencies: Histogram,
}

#[derive(Debug)]
struct Sender {
    connection: Connection,
    workload: Workload,
    /// When its request was to be sent.
    intended: Instant,
}

impl Lane {
    pub(super) fn new() -> Result<Self, Failure> {
        Ok(Self {
            answered: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            senders: Vec::new(),
            free: Vec::new(),
            latencies: Histogram::new(),
        })
    }

    pub(super) fn add(
        &mut self,
        connection: Connection,
        workload: Workload,
    ) -> Result<(), Failure> {
        let number = self.senders.len();
        let data = epoll::EventData::new_u64(number as u64);
        epoll::add(&self.answered, &connection, data, epoll::EventFlags::IN)?;
        self.free.push(number);
        let intended = now();
        self.senders.push(Sender {
            connection,
            workload,
            intended,
        });
        Ok(())
    }

    /// Sends while the schedule lasts; how long each answer took.
    pub(super) fn run(&mut self, mut schedule: Schedule) -> Result<Histogram, Failure> {
        self.latencies = Histogram::new();
        let mut events = Vec::with_capacity(self.senders.len());
        loop {
            self.send_due(&mut schedule)?;
            let at = now();
            let over = schedule.over(at);
            if over && self.free.len() == self.senders.len() {
                return Ok(self.latencies.clone());
            }
            let waits_for_answers = over || self.free.is_empty();
            let timeout = if waits_for_answers {
                LONGEST
            } else {
                schedule.until_next(at)
            };
            events.clear();
            let spare = rustix::buffer::spare_capacity(&mut events);
            let found = epoll::wait(&self.answered, spare, Some(&timeout.try_into()?))?;
            if found == 0 && waits_for_answers {
                return Err(format!("no answer came within {LONGEST:?}").into());
            }
            for event in &events {
                let number = usize::try_from(event.data.u64())?;
                if self.senders[number].take_answer(&mut self.latencies)? {
                    self.free.push(number);
                    self.send_due(&mut schedule)?;
                }
            }
        }
    }

    fn send_due(&mut self, schedule: &mut Schedule) -> Result<(), Failure> {
        while let Some(&number) = self.free.last()
            && let Some(intended) = schedule.take_due(now())
        {
            self.free.pop();
            let sender = &mut self.senders[number];
            sender.intended = intended;
            sender.connection.send(sender.workload.next()?)?;
        }
        Ok(())
    }
}

impl Sender {
    /// Whether that was all of it.
    fn take_answer(&mut self, latencies: &mut Histogram) -> Result<bool, Failure> {
        let whole = self.connection.receive()?;
        if whole {
            latencies.record(now().duration_since(self.intended));
            self.workload.check(self.connection.answer()?)?;
        }
        Ok(whole)
    }
}
