//! The same requests with more and more rows stored.

use crate::{
    Failure,
    arguments::Arguments,
    figures::Figures,
    generator::Pace,
    sides::{Pair, Shape, Target},
    turns::{self, Outcome},
    workload::Work,
};

/// Rows come in batches that the queue has room for. The service checks one large body of a tenant at a time:
/// the second comes while the first is written, and a third would only wait, on a slow disk for too long.
const FILL_EVENTS: usize = 400;
const FILL_CONNECTIONS: usize = 2;

pub(super) fn run(arguments: &Arguments) -> Result<Figures, Failure> {
    let pair = Pair::start(arguments)?;
    let targets = pair.targets();
    let shape = Shape::of(arguments);
    let unit = shape.work.unit();
    let [ours, peer] = &targets;
    let mut stored = [0, 0];
    // What is measured is stored too: a tenth of the time, so that few rows are still few after it.
    let turn = arguments.turn / 10;

    let mut figures = Figures::default();
    let mut first: Option<(usize, [Outcome; 2])> = None;
    for &rows in &arguments.rows {
        let mut grown = [f64::NAN; 2];
        for (side, target) in targets.iter().enumerate() {
            let missing = (rows as u64).saturating_sub(stored[side]);
            let before = target.stored_bytes()?;
            let filled = fill(target, shape, missing)?;
            stored[side] += filled;
            let bytes = target.stored_bytes()?.saturating_sub(before);
            grown[side] = bytes as f64 / 1e3 / filled as f64;
        }
        // Where none was missing, there is nothing to divide.
        if grown.iter().all(|each| each.is_finite()) {
            let name = format!("stored at {}", short(rows));
            figures.add(&name, &format!("KB/{unit}"), grown);
        }
        // New connections: while the other side was filled, an old one stood idle for longer than it may.
        let mut sides = [ours.connect(shape, None)?, peer.connect(shape, None)?];
        let paces = [Pace::Closed, Pace::Closed];
        let outcomes = turns::compare(&mut sides, paces, arguments.turns, turn)?;
        for (stored, outcome) in stored.iter_mut().zip(&outcomes) {
            *stored += outcome.units;
        }
        figures.add_costs(unit, &format!(" at {}", short(rows)), &outcomes);
        let Some((least, before)) = &first else {
            first = Some((rows, outcomes));
            continue;
        };
        let name = format!("{} beside {}: ", short(rows), short(*least));
        let both = [&outcomes[0], &before[0]];
        let processor = both.map(Outcome::microseconds_a_unit);
        figures.add(
            &format!("{name}processor time"),
            &format!("µs/{unit}"),
            processor,
        );
        let rates = both.map(Outcome::rate);
        figures.add(&format!("{name}throughput"), &format!("{unit}s/s"), rates);
    }
    figures.add_memory(&targets)?;
    Ok(figures)
}

/// Stores so many rows of this kind, and says how many they are in the end. Leads come one by one.
pub(super) fn fill(target: &Target<'_>, shape: Shape, rows: u64) -> Result<u64, Failure> {
    if rows == 0 {
        return Ok(0);
    }
    let filling = match shape.work {
        Work::Leads => shape,
        _ => Shape {
            events: FILL_EVENTS,
            connections: FILL_CONNECTIONS,
            ..shape
        },
    };
    target.connect(filling, None)?.fill(rows)
}

/// As people say it: `0 rows`, `100 k rows`, `1 M rows`.
fn short(rows: usize) -> String {
    match rows {
        0 => "0 rows".to_owned(),
        rows if rows % 1_000_000 == 0 => format!("{} M rows", rows / 1_000_000),
        rows if rows % 1_000 == 0 => format!("{} k rows", rows / 1_000),
        rows => format!("{rows} rows"),
    }
}
