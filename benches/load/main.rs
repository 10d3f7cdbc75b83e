//! The service as it is built, under a bounded load from this machine, beside a bare reference: the same
//! HTTP stack and database with the same durability and none of our promises ([`bare`]).
//!
//! A scenario starts what it measures in folders of its own, sends from a few threads over connections
//! that are kept, in turns of one run (one, other, other, one, …), so that a machine that slows down or a
//! database that grows counts for both alike. The last line is the result as JSON: a list of figures,
//! each of ours, of the peer, and their ratio.

mod arguments;
mod bare;
mod checks;
mod client;
mod figures;
mod generator;
mod ids;
mod listening;
mod process;
mod redis;
mod scenarios;
mod server;
mod sides;
mod told;
mod turns;
mod workload;

use std::{
    env,
    error::Error,
    io::{Write as _, stdout},
    time::Instant,
};

use self::arguments::Arguments;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let mut given = env::args().skip(1);
    let command = given.next().ok_or(arguments::USAGE)?;
    if command == "bare" {
        return bare::serve(&given.next().ok_or(arguments::USAGE)?);
    }
    if command == "checks" {
        return told::obey(&given.next().ok_or(arguments::USAGE)?);
    }
    let figures = scenarios::run(&command, &Arguments::read(given)?)?;
    writeln!(stdout(), "{}", figures.into_json())?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "what is measured is real time")]
fn now() -> Instant {
    Instant::now()
}
