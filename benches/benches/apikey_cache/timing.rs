//! Whether the time that an answer takes tells something about a key: two classes of keys, presented in
//! random order, and Welch's t of their times, as in Reparaz, Balasch and Verbauwhede, "Dude, is my code
//! constant time?" (DATE 2017). Long times, which are interruptions, are cropped at several percentiles, and
//! the greatest |t| of all crops counts; above 4.5 the classes can be told apart.

#[path = "timing/classes.rs"]
mod classes;
#[path = "timing/welch.rs"]
mod welch;

use std::hint::black_box;

use portcullis_apikey_cache::ApiKey;
use portcullis_benches::figures::{Failure, Figures};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rustix::time::{ClockId, clock_gettime};

use self::{
    classes::{Pair, Service},
    welch::Times,
};
use super::ours::parsed;

const QUICK_SAMPLES: usize = 2_000;
/// Before that, so that everything is where it will be.
const WARM_UP: usize = 20_000;

/// Ours beside a peer that is leaky on purpose, which shows that the method finds what is there.
pub(crate) fn run(pair: &str, is_quick: bool) -> Result<Figures, Failure> {
    let service = Service::new(is_quick);
    let pair = service
        .pair(pair)
        .ok_or("usage: figures timing secret|hash|record|kid")?;
    let samples = if is_quick {
        QUICK_SAMPLES
    } else {
        pair.samples
    };
    let ours = measure(&pair, samples, &|key| {
        black_box(service.ours.validate_key(key).is_ok());
    });
    let leaky = measure(&pair, samples, &|key| {
        // EXPOSE: made up for this, and good for nothing.
        black_box((pair.leaky)(key.hazmat_expose()));
    });
    let mut figures = Figures::default();
    figures.add("t", "t", [ours.most(), leaky.most()]);
    figures.add("difference", "ns", [ours.difference(), leaky.difference()]);
    Ok(figures)
}

fn measure(pair: &Pair<'_>, samples: usize, present: &dyn Fn(&ApiKey)) -> Times {
    let mut random = StdRng::seed_from_u64(11);
    let mut times = Times::default();
    for sample in 0..WARM_UP.min(samples) + samples {
        let class = random.random_range(0..2);
        let texts = &pair.classes[class];
        let text = &texts[random.random_range(0..texts.len())];
        // Each time again, and outside of what is measured: keys of both classes then lie in the same place,
        // and as near to the processor.
        let key = parsed(text);
        let before = clock_gettime(ClockId::Monotonic);
        present(black_box(&key));
        let took = clock_gettime(ClockId::Monotonic) - before;
        if sample >= WARM_UP.min(samples) {
            times.record(class, took.tv_sec * 1_000_000_000 + took.tv_nsec);
        }
    }
    times
}
