//! What a run came to, for `scripts/bench` to read: named figures, each of ours and of the peer.

use std::{
    error::Error,
    io::{Write as _, stdout},
};

use serde_json::{Value, json};

use crate::histogram::quantile;

/// Why a run came to nothing.
pub type Failure = Box<dyn Error + Send + Sync>;

/// What a run came to.
#[derive(Debug, Default)]
pub struct Figures(Vec<Value>);

impl Figures {
    /// A figure of ours, and the peer's.
    pub fn add(&mut self, name: &str, unit: &str, [ours, peer]: [f64; 2]) {
        self.0.push(json!({
            "name": name, "unit": unit, "ours": ours, "peer": peer, "ratio": ours / peer,
        }));
    }

    /// Of turns that followed each other. The ratio is the median of theirs, which what else the machine did
    /// moves less; with the middle half of them.
    pub fn add_turns(&mut self, name: &str, unit: &str, turns: &[[f64; 2]]) {
        let ratios: Vec<f64> = turns.iter().map(|[ours, peer]| ours / peer).collect();
        let median_of =
            |side: usize| quantile(&turns.iter().map(|turn| turn[side]).collect::<Vec<_>>(), 50);
        self.0.push(json!({
            "name": name, "unit": unit, "ours": median_of(0), "peer": median_of(1),
            "ratio": quantile(&ratios, 50),
            "quartiles": [quantile(&ratios, 25), quantile(&ratios, 75)],
        }));
    }

    /// As the last line.
    ///
    /// # Errors
    /// If nobody reads it.
    pub fn print(self) -> Result<(), Failure> {
        Ok(writeln!(stdout(), "{}", Value::Array(self.0))?)
    }
}
