//! What detection takes: two tenants of one service send the same page views. For one every kind is
//! looked for, for the other, by its policy, none.

use crate::{
    Failure,
    arguments::Arguments,
    figures::Figures,
    generator::Pace,
    server::Server,
    sides::{Shape, Target},
    turns,
};

pub(super) fn run(arguments: &Arguments) -> Result<Figures, Failure> {
    let server = Server::start(&arguments.server, &arguments.folder)?;
    let connect = |tenant| {
        let keys = server.issue_keys(tenant, 1)?;
        let target = Target::new(server.process(), server.public(), keys, server.data());
        target.connect(Shape::of(arguments), None)
    };
    server.turn_detection_off("off-0")?;
    let mut sides = [connect("on")?, connect("off")?];
    let paces = [Pace::Closed, Pace::Closed];
    let outcomes = turns::compare(&mut sides, paces, arguments.turns, arguments.turn)?;

    let mut figures = Figures::default();
    figures.add_throughput("event", &outcomes);
    figures.add_costs("event", "", &outcomes);
    Ok(figures)
}
