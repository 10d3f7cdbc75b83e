//! What a run came to, for `scripts/bench` to read.

use std::time::Duration;

use portcullis_benches::histogram::quantile;
use serde_json::{Value, json};

use crate::{Failure, sides::Target, turns::Outcome};

/// Named figures, each of ours and of the peer.
#[derive(Debug, Default)]
pub(crate) struct Figures(Vec<Value>);

impl Figures {
    pub(crate) fn add(&mut self, name: &str, unit: &str, [ours, peer]: [f64; 2]) {
        let ratio = ours / peer;
        self.0.push(json!({
            "name": name, "unit": unit, "ours": ours, "peer": peer,
            // Where both are nothing.
            "ratio": if ratio.is_finite() { ratio } else { 1.0 },
        }));
    }

    /// By the clock on the wall. The ratio is the median of those of turns that followed each other, which
    /// what else the machine did moves less; with the middle half of them.
    pub(crate) fn add_throughput(&mut self, unit: &str, outcomes: &[Outcome; 2]) {
        let [ours, peer] = outcomes;
        let ratios = ours.rates.iter().zip(&peer.rates);
        let ratios: Vec<f64> = ratios.map(|(ours, peer)| ours / peer).collect();
        let [ours, peer] = [ours.rate(), peer.rate()];
        self.0.push(json!({
            "name": "throughput", "unit": format!("{unit}s/s"),
            "ours": ours, "peer": peer, "ratio": quantile(&ratios, 50),
            "quartiles": [quantile(&ratios, 25), quantile(&ratios, 75)],
        }));
    }

    /// What a unit takes of the processors and of the disk; `when` ends the names.
    pub(crate) fn add_costs(&mut self, unit: &str, when: &str, outcomes: &[Outcome; 2]) {
        let processor = outcomes.each_ref().map(Outcome::microseconds_a_unit);
        self.add(
            &format!("processor time{when}"),
            &format!("µs/{unit}"),
            processor,
        );
        let written = outcomes.each_ref().map(Outcome::kilobytes_a_unit);
        self.add(&format!("written{when}"), &format!("KB/{unit}"), written);
    }

    pub(crate) fn add_latencies(&mut self, when: &str, outcomes: &[Outcome; 2]) {
        let milliseconds = |latency: Duration| latency.as_secs_f64() * 1e3;
        for percent in [50, 95, 99] {
            let found = outcomes.each_ref();
            let found = found.map(|one| milliseconds(one.latencies.percentile(percent)));
            self.add(&format!("p{percent}{when}"), "ms", found);
        }
        let longest = outcomes
            .each_ref()
            .map(|one| milliseconds(one.latencies.longest()));
        self.add(&format!("longest{when}"), "ms", longest);
    }

    pub(crate) fn add_memory(&mut self, targets: &[Target<'_>; 2]) -> Result<(), Failure> {
        let [ours, peer] = targets
            .each_ref()
            .map(|target| target.process.most_memory());
        let mebibytes = [ours?, peer?].map(|bytes| bytes as f64 / 1024.0 / 1024.0);
        self.add("memory", "MiB", mebibytes);
        Ok(())
    }

    pub(crate) fn into_json(self) -> Value {
        Value::Array(self.0)
    }
}
