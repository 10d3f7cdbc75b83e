//! Does with the limiter what lines of JSON on the input say, and answers each with one: one of two programs
//! that `scripts/compare-rate-limiter-flexible` has do the same.

use std::{
    collections::{HashMap, hash_map::Entry},
    io::{Write as _, stdin, stdout},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    Failure,
    checks::{Checks, Decider, Sent, send},
};

/// Until the input ends.
pub(crate) fn obey(url: &str) -> Result<(), Failure> {
    let mut connected = HashMap::new();
    for line in stdin().lines() {
        let told: Value = serde_json::from_str(&line?)?;
        let number = |name: &str| {
            told[name]
                .as_u64()
                .ok_or_else(|| format!("{name} is missing"))
        };
        let answer = if told["requests"].is_array() {
            let sent = Sent {
                limits: serde_json::from_value(told["limits"].clone())?,
                at_millis: serde_json::from_value(told["requests"].clone())?,
            };
            json!(send(url, number("number")?, sent)?)
        } else {
            let tenants = usize::try_from(number("tenants")?)?;
            let checks = match connected.entry(tenants) {
                Entry::Occupied(connected) => connected.into_mut(),
                Entry::Vacant(place) => {
                    let at_once = usize::try_from(number("at_once")?)?;
                    place.insert(Checks::connect(Decider::Exact, url, tenants, at_once)?)
                }
            };
            let made = checks.make(Duration::from_millis(number("millis")?))?;
            let millis = |percent| made.latencies.percentile(percent).as_secs_f64() * 1e3;
            json!({
                "rate": made.checks as f64 / made.took.as_secs_f64(),
                "p50": millis(50), "p99": millis(99),
            })
        };
        writeln!(stdout(), "{answer}")?;
    }
    Ok(())
}
