//! How long answers take at full throughput, and at half of it: ours at half of ours, the peer at half of
//! its own.

use crate::{
    Failure,
    arguments::Arguments,
    figures::Figures,
    generator::Pace,
    sides::{Pair, Shape},
    turns,
};

pub(super) fn run(arguments: &Arguments) -> Result<Figures, Failure> {
    let pair = Pair::start(arguments)?;
    let [ours, peer] = &pair.targets();
    let shape = Shape::of(arguments);
    let mut sides = [ours.connect(shape, None)?, peer.connect(shape, None)?];
    let mut at = |paces| turns::compare(&mut sides, paces, arguments.turns, arguments.turn);
    let full = at([Pace::Closed, Pace::Closed])?;
    let requests = full.each_ref().map(|one| one.rate() / shape.units() as f64);
    let half = at(requests.map(|rate| Pace::PerSecond(rate / 2.0)))?;

    let mut figures = Figures::default();
    figures.add_throughput(shape.work.unit(), &full);
    figures.add_latencies(" at full throughput", &full);
    figures.add_latencies(" at half of it", &half);
    Ok(figures)
}
