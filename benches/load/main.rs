//! What detection takes of the throughput of `POST /v1/events`: the service as it is built, under a
//! bounded load from this machine, with detection on and off in turns of one run.
//!
//! Two tenants send the same page views over connections that are kept: for one every kind is looked
//! for, for the other, by its policy, none. The turns go on, off, off, on, so that a machine that slows
//! down or a database that grows counts for both alike. The last line is the result as JSON.

mod client;
mod events;
mod server;
mod turns;

use std::{
    error::Error,
    io::{Write as _, stdout},
    path::PathBuf,
    time::Duration,
};

use serde_json::json;

use self::{server::Server, turns::Turns};

type Failure = Box<dyn Error + Send + Sync>;

/// What is asked for on the command line.
struct Load {
    server: PathBuf,
    turns: usize,
    turn: Duration,
    connections: usize,
    events: usize,
}

fn main() -> Result<(), Failure> {
    let load = Load::from_arguments(std::env::args().skip(1))?;
    let server = Server::start(&load.server)?;
    server.lift_limits()?;
    server.turn_detection_off("load-off")?;
    let [on, off] = ["load-on", "load-off"].map(|tenant| server.issue_key(tenant));
    let mut turns = Turns::connect(server.public(), &[on?, off?], load.connections, load.events)?;

    // What is loaded at a first use is no cost of detection.
    for tenant in [0, 1] {
        turns.run(tenant, load.turn)?;
    }
    let mut rates = [Vec::new(), Vec::new()];
    let mut spent = [(0, Duration::ZERO); 2];
    for tenant in [0, 1, 1, 0].into_iter().cycle().take(load.turns * 2) {
        let before = server.processor_time()?;
        let (events, took) = turns.run(tenant, load.turn)?;
        rates[tenant].push(events as f64 / took.as_secs_f64());
        let (all, time) = &mut spent[tenant];
        *all += events;
        *time += server.processor_time()?.saturating_sub(before);
    }
    server.stop()?;

    let mut ratios: Vec<f64> = rates[0]
        .iter()
        .zip(&rates[1])
        .map(|(on, off)| on / off)
        .collect();
    let [on, off] = rates.map(|mut rates: Vec<f64>| quantile(&mut rates, 50));
    let [on_time, off_time] = spent.map(|(events, time)| time.as_secs_f64() * 1e6 / events as f64);
    let result = json!({
        "throughput": {
            "ours": on, "peer": off, "ratio": on / off,
            "quartiles": [quantile(&mut ratios, 25), quantile(&mut ratios, 75)],
        },
        "processor_time": { "ours": on_time, "peer": off_time, "ratio": on_time / off_time },
    });
    writeln!(stdout(), "{result}")?;
    Ok(())
}

const USAGE: &str =
    "usage: load --server FILE [--turns N] [--turn-ms N] [--connections N] [--events N]";

impl Load {
    fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut load = Self {
            server: PathBuf::new(),
            turns: 100,
            turn: Duration::from_millis(150),
            connections: 64,
            events: 1,
        };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or(USAGE)?;
            match name.as_str() {
                "--server" => load.server = value.into(),
                "--turns" => load.turns = value.parse()?,
                "--turn-ms" => load.turn = Duration::from_millis(value.parse()?),
                "--connections" => load.connections = value.parse()?,
                "--events" => load.events = value.parse()?,
                _ => return Err(USAGE.into()),
            }
        }
        // So that both have their turns at the same distance from the start.
        load.turns = load.turns.next_multiple_of(2);
        if load.server.as_os_str().is_empty() {
            return Err(USAGE.into());
        }
        Ok(load)
    }
}

fn quantile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (values.len().saturating_sub(1) * percent).div_ceil(100);
    values.get(rank).copied().unwrap_or(f64::NAN)
}
