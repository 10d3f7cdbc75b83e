//! One kind of request, as fast as the connections take it, beside the bare reference.

use crate::{
    Failure,
    arguments::Arguments,
    figures::Figures,
    generator::Pace,
    sides::{Pair, Shape, Target},
    turns::{self, Side},
};

/// So many that no page cache of a connection is all there is to it.
const LEADS: usize = 1_000;

pub(super) fn run(arguments: &Arguments) -> Result<Figures, Failure> {
    let pair = Pair::start(arguments)?;
    let targets = pair.targets();
    let shape = Shape::of(arguments);
    let [ours, peer] = &targets;
    let mut sides = [
        connect(ours, shape, arguments)?,
        connect(peer, shape, arguments)?,
    ];
    let paces = [Pace::Closed, Pace::Closed];
    let outcomes = turns::compare(&mut sides, paces, arguments.turns, arguments.turn)?;

    let mut figures = Figures::default();
    let unit = shape.work.unit();
    figures.add_throughput(unit, &outcomes);
    figures.add_costs(unit, "", &outcomes);
    figures.add_latencies("", &outcomes);
    figures.add_memory(&targets)?;
    Ok(figures)
}

fn connect<'a>(
    target: &Target<'a>,
    shape: Shape,
    arguments: &Arguments,
) -> Result<Side<'a>, Failure> {
    let leads = if arguments.quick { 20 } else { LEADS };
    let known = shape.work.reads().then(|| target.make_leads(leads));
    target.connect(shape, known.transpose()?.as_ref())
}
