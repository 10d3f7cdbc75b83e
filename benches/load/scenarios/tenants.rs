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
    workload::Work,
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
    let target = |keys| Target::new(server.process(), server.public(), keys, server.data());
    let (many, one) = (target(many), target(one));

    let mut figures = Figures::default();
    for (work, when) in [(Work::Pages, " of page views"), (Work::Forms, " of forms")] {
        let shape = Shape {
            work,
            ..Shape::of(arguments)
        };
        let mut sides = [many.connect_as_all(shape)?, one.connect_as_all(shape)?];
        // Each of them twice.
        for (side, tenants) in sides.iter_mut().zip([arguments.tenants, 1]) {
            side.fill(2 * tenants as u64 * shape.units())?;
        }
        let paces = [Pace::Closed, Pace::Closed];
        let outcomes = turns::compare(&mut sides, paces, arguments.turns, arguments.turn)?;
        figures.add_costs(work.unit(), when, &outcomes);
    }
    Ok(figures)
}
