//! A lead looked up by its e-mail address, at a constant rate, among as many as are to be stored: by
//! itself, and while as many writes come as are taken.

use std::thread;

use super::growth;
use crate::{
    Failure,
    arguments::Arguments,
    figures::Figures,
    generator::Pace,
    sides::{Pair, Shape},
    turns::{self, Outcome, Side},
    workload::Work,
};

const LEADS: usize = 1_000;
const SEARCHES_A_SECOND: f64 = 100.0;
/// More than are ever on the way at once, unless answers take long.
const CONNECTIONS: usize = 16;

pub(super) fn run(arguments: &Arguments) -> Result<Figures, Failure> {
    let pair = Pair::start(arguments)?;
    let targets = pair.targets();
    let leads = if arguments.quick { 20 } else { LEADS };
    let searching = Shape {
        work: Work::Search,
        connections: CONNECTIONS,
        ..Shape::of(arguments)
    };
    let [ours, peer] = &targets;
    let known = [ours.make_leads(leads)?, peer.make_leads(leads)?];
    let shape = Shape::of(arguments);
    // Those that are looked up are the first ones, and no longer at hand when the others have come.
    let others = Shape {
        work: Work::Leads,
        ..shape
    };
    for target in &targets {
        growth::fill(target, others, arguments.stored as u64)?;
    }
    let mut searches = [
        ours.connect(searching, Some(&known[0]))?,
        peer.connect(searching, Some(&known[1]))?,
    ];
    let mut writes = [ours.connect(shape, None)?, peer.connect(shape, None)?];

    let pace = Pace::PerSecond(SEARCHES_A_SECOND);
    let idle = turns::compare(&mut searches, [pace; 2], arguments.turns, arguments.turn)?;
    let mut busy = [Outcome::new(), Outcome::new()];
    let mut written = [Outcome::new(), Outcome::new()];
    for side in [0, 1, 1, 0].into_iter().cycle().take(arguments.turns * 2) {
        let (search, write) = (&mut searches[side], &mut writes[side]);
        let (busy, written) = (&mut busy[side], &mut written[side]);
        both(arguments, (search, busy), (write, written))?;
    }

    let mut figures = Figures::default();
    figures.add_latencies(" idle", &idle);
    figures.add_costs("request", " idle", &idle);
    figures.add_latencies(" under writes", &busy);
    figures.add_throughput(shape.work.unit(), &written);
    Ok(figures)
}

/// A turn of searches while there is one of writes.
fn both(
    arguments: &Arguments,
    (search, searched): (&mut Side<'_>, &mut Outcome),
    (write, written): (&mut Side<'_>, &mut Outcome),
) -> Result<(), Failure> {
    let turn = arguments.turn;
    thread::scope(|scope| {
        let writing = scope.spawn(|| write.turn(Pace::Closed, turn, written));
        search.turn(Pace::PerSecond(SEARCHES_A_SECOND), turn, searched)?;
        writing
            .join()
            .map_err(|_| "a thread of the load panicked")??;
        Ok(())
    })
}
