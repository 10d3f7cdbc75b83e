//! An importer of weather observations: reasons of its own, a score for each station, masked samples
//! of what was refused, and a report that says what to do.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

mod reason;

use std::sync::Arc;

use portcullis_dq_metrics::{
    Catalogue, Outcome, Quality, Reason as _, Subject,
    sample::{Discarded, Masker, MemorySamples},
};
use rand::{SeedableRng, rngs::StdRng};

use self::reason::Fault;

/// Observers' names stand in the lines; only the shape of a text is kept.
#[derive(Debug)]
struct ShapeOnly;

impl Masker for ShapeOnly {
    fn mask_payload(&self, payload: &str) -> String {
        payload.replace(char::is_alphabetic, "a")
    }

    fn mask_text(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// Checks a line of hour, temperature in °C, humidity in %, observer.
fn check(line: &str, hour: u32) -> Result<(), Fault> {
    let fields: Vec<&str> = line.split(';').collect();
    let [at, temperature, _humidity, _observer] = fields[..] else {
        return Err(Fault::Garbled);
    };
    let at: u32 = at.parse().map_err(|_| Fault::Garbled)?;
    let degrees: f64 = temperature.parse().map_err(|_| Fault::NoTemperature)?;
    match degrees {
        _ if !(-90.0..60.0).contains(&degrees) => Err(Fault::Implausible),
        _ if at + 1 < hour => Err(Fault::Late),
        _ => Ok(()),
    }
}

fn main() {
    let quality = Quality::<Fault>::builder(Arc::new(ShapeOnly), StdRng::seed_from_u64(1))
        .sample_store(Arc::new(MemorySamples::default()))
        .build();
    for (station, line) in [
        ("zugspitze", "9;-11.5;81;Ada"),
        ("zugspitze", "9;;80;Ada"),
        ("helgoland", "9;7.5;93;Grace"),
        ("helgoland", "9;412.0;93;Grace"),
        ("helgoland", "9;7.6"),
    ] {
        let subject = Subject::tenant(station).event_type("observation");
        quality.received(Some(station), 1);
        let outcome = check(line, 10).map_or_else(Outcome::Rejected, |()| Outcome::Accepted);
        quality.record(subject, outcome);
        if let Outcome::Rejected(fault) = outcome {
            quality.sample(&Discarded::new(subject, fault, line.as_bytes()));
        }
    }

    println!(
        "{}\n{}",
        quality.report(None).markdown(),
        Catalogue::<Fault>::new()
    );
    assert_eq!(quality.conservation().unaccounted(), 0);
    let helgoland = quality.report(Some("helgoland"));
    assert_eq!(helgoland.rejections.len(), 2);
    assert_eq!(
        helgoland.rejections[0].remediation,
        Fault::Garbled.facts().remediation
    );
    assert_eq!(helgoland.samples[1].samples[0].excerpt, "9;412.0;93;aaaaa");
}
