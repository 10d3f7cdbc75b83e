//! Checks of the limiter on a Redis server, beside a bare script on it, or one kind beside the other.

use crate::{
    Failure,
    arguments::Arguments,
    checks::Checks,
    figures::Figures,
    redis::RedisServer,
    turns::{Outcome, in_turns},
};

pub(super) fn run(arguments: &Arguments) -> Result<Figures, Failure> {
    let server = RedisServer::start(&arguments.folder)?;
    let connect = |decider| {
        let Arguments {
            tenants,
            connections,
            ..
        } = *arguments;
        Checks::connect(decider, &server.url(), tenants, connections)
    };
    let [ours, peer] = arguments.deciders;
    let mut sides = [connect(ours)?, connect(peer)?];
    let mut of_server = [Outcome::new(), Outcome::new()];
    let outcomes = in_turns(&mut sides, arguments.turns, |side, checks, outcome| {
        checks.turn(
            arguments.turn,
            server.process(),
            outcome,
            &mut of_server[side],
        )
    })?;

    let mut figures = Figures::default();
    figures.add_throughput("check", &outcomes);
    for (whose, outcomes) in [("client", &outcomes), ("server", &of_server)] {
        let processor = outcomes.each_ref().map(Outcome::microseconds_a_unit);
        figures.add(
            &format!("processor time of the {whose}"),
            "µs/check",
            processor,
        );
    }
    if arguments
        .deciders
        .iter()
        .all(|decider| decider.asks_server())
    {
        figures.add_latencies("", &outcomes);
    }
    Ok(figures)
}
