//! Turns of load: one side after the other over connections that both have from the start.

use std::time::Duration;

use portcullis_benches::histogram::{Histogram, quantile};

use crate::{
    Failure,
    generator::{Generator, Pace},
    process::{Process, Taken},
};

/// One of the two that are compared: a program, and what is sent to it.
#[derive(Debug)]
pub(crate) struct Side<'a> {
    process: &'a Process,
    generator: Generator,
    /// Events, leads or whatever else a request brings.
    units: u64,
}

/// What the turns of one side came to.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Units a second, of each turn.
    pub(crate) rates: Vec<f64>,
    pub(crate) units: u64,
    pub(crate) taken: Taken,
    pub(crate) latencies: Histogram,
}

impl<'a> Side<'a> {
    pub(crate) fn new(process: &'a Process, generator: Generator, units: u64) -> Self {
        Self {
            process,
            generator,
            units,
        }
    }

    /// One turn, added to what came before; how many units it brought.
    pub(crate) fn turn(
        &mut self,
        pace: Pace,
        length: Duration,
        outcome: &mut Outcome,
    ) -> Result<u64, Failure> {
        let before = self.process.taken()?;
        let sent = self.generator.run(pace, length)?;
        outcome.taken.add(self.process.taken()?.since(before));
        let units = sent.requests * self.units;
        outcome.units += units;
        outcome.rates.push(units as f64 / sent.took.as_secs_f64());
        outcome.latencies.add(&sent.latencies);
        Ok(units)
    }

    /// Sends until so many units are stored, and measures nothing.
    pub(crate) fn fill(&mut self, units: u64) -> Result<u64, Failure> {
        let mut filled = Outcome::new();
        while filled.units < units {
            self.turn(Pace::Closed, Duration::from_millis(250), &mut filled)?;
        }
        Ok(filled.units)
    }
}

/// Both sides, `turns` times each: one, other, other, one, so that what changes with time counts for
/// both alike. A turn of each comes before, since what is loaded at a first use is no cost of a request.
pub(crate) fn compare(
    sides: &mut [Side<'_>; 2],
    paces: [Pace; 2],
    turns: usize,
    turn: Duration,
) -> Result<[Outcome; 2], Failure> {
    in_turns(sides, turns, |number, side, outcome| {
        side.turn(paces[number], turn, outcome).map(drop)
    })
}

/// The same with a turn as `take` has it, which is told whose it is: 0 is ours.
pub(crate) fn in_turns<S>(
    sides: &mut [S; 2],
    turns: usize,
    mut take: impl FnMut(usize, &mut S, &mut Outcome) -> Result<(), Failure>,
) -> Result<[Outcome; 2], Failure> {
    let mut outcomes = [Outcome::new(), Outcome::new()];
    for (number, side) in sides.iter_mut().enumerate() {
        take(number, side, &mut Outcome::new())?;
    }
    for number in [0, 1, 1, 0].into_iter().cycle().take(turns * 2) {
        take(number, &mut sides[number], &mut outcomes[number])?;
    }
    Ok(outcomes)
}

impl Outcome {
    pub(crate) fn new() -> Self {
        Self {
            rates: Vec::new(),
            units: 0,
            taken: Taken::default(),
            latencies: Histogram::new(),
        }
    }

    /// The median of the turns.
    pub(crate) fn rate(&self) -> f64 {
        quantile(&self.rates, 50)
    }

    pub(crate) fn microseconds_a_unit(&self) -> f64 {
        self.taken.processor.as_secs_f64() * 1e6 / self.units as f64
    }

    pub(crate) fn kilobytes_a_unit(&self) -> f64 {
        self.taken.written as f64 / 1e3 / self.units as f64
    }
}
