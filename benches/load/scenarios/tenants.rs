//! Many tenants in turns, each of whom has sent before, beside one tenant, of the same service.

use std::path::Path;

use crate::{
    Failure,
    arguments::Arguments,
    figures::Figures,
    generator::Pace,
    server::Server,
    sides::{Shape, Target},
    turns,
};

/// A disk in memory, where Linux has one.
const MEMORY: &str = "/dev/shm";

pub(super) fn run(arguments: &Arguments) -> Result<Figures, Failure> {
    let program = &arguments.server;
    let memory = Path::new(MEMORY);
    let first = if memory.is_dir() {
        memory
    } else {
        &arguments.folder
    };
    let server = Server::start(program, first)?;
    let many = server.issue_keys("many", arguments.tenants)?;
    let one = server.issue_keys("one", 1)?;
    let server = server.move_to(program, &arguments.folder)?;
    let target = |keys| Target::new(server.process(), server.public(), keys);
    let (many, one) = (target(many), target(one));
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
