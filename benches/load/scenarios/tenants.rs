//! Many tenants in turns, each of whom has sent before, beside one tenant, of the same service.

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
    let target = |tenants, count| {
        let keys = server.issue_keys(tenants, count)?;
        Ok::<_, Failure>(Target::new(server.process(), server.public(), keys))
    };
    let (many, one) = (target("many", arguments.tenants)?, target("one", 1)?);
    let shape = Shape::of(arguments);
    let mut sides = [many.connect_as_all(shape)?, one.connect_as_all(shape)?];
    // Each of them twice at least.
    let warm = 2 * arguments.tenants as u64 * shape.units();
    for side in &mut sides {
        side.fill(warm)?;
    }
    let paces = [Pace::Closed, Pace::Closed];
    let outcomes = turns::compare(&mut sides, paces, arguments.turns, arguments.turn)?;

    let mut figures = Figures::default();
    let unit = shape.work.unit();
    figures.add_throughput(unit, &outcomes);
    figures.add_costs(unit, "", &outcomes);
    Ok(figures)
}
