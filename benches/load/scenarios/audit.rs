//! What the audit log takes. Of what is written: two services that differ in whether what was taken in is on record,
//! in summaries. Of what is read: one service that shows leads in the clear, each on record before the answer, beside
//! masked.

use crate::{
    Failure,
    arguments::Arguments,
    figures::Figures,
    generator::Pace,
    server::Server,
    sides::{Shape, Target},
    turns::{self, Side},
    workload::Work,
};

const LEADS: usize = 1_000;

pub(super) fn run(arguments: &Arguments) -> Result<Figures, Failure> {
    let start = |writes| {
        let flags = [("--audit-writes", writes)];
        Server::start_with(&arguments.server, &arguments.folder, &flags)
    };
    let recorded = start("summary")?;
    if arguments.work == Work::Clear {
        let target = target(&recorded)?;
        let leads = if arguments.quick { 20 } else { LEADS };
        let known = target.make_leads(leads)?;
        let connect = |work| {
            let shape = Shape {
                work,
                ..Shape::of(arguments)
            };
            target.connect(shape, Some(&known))
        };
        return measure(arguments, [connect(Work::Clear)?, connect(Work::Read)?]);
    }
    let unrecorded = start("off")?;
    let connect = |server| target(server)?.connect(Shape::of(arguments), None);
    measure(arguments, [connect(&recorded)?, connect(&unrecorded)?])
}

fn target(server: &Server) -> Result<Target<'_>, Failure> {
    let keys = server.issue_keys("audited", 1)?;
    Ok(Target::new(
        server.process(),
        server.public(),
        keys,
        server.data(),
    ))
}

fn measure(arguments: &Arguments, mut sides: [Side<'_>; 2]) -> Result<Figures, Failure> {
    let paces = [Pace::Closed, Pace::Closed];
    let outcomes = turns::compare(&mut sides, paces, arguments.turns, arguments.turn)?;
    let mut figures = Figures::default();
    let unit = arguments.work.unit();
    figures.add_throughput(unit, &outcomes);
    figures.add_costs(unit, "", &outcomes);
    figures.add_latencies("", &outcomes);
    Ok(figures)
}
