//! Series that are read on each scrape.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::metrics::Registry;

#[test]
fn a_family_shows_what_is_there_at_each_scrape_and_no_more_than_its_cap() {
    let registry = Registry::new();
    let there = Arc::new(AtomicUsize::new(0));
    let read = Arc::clone(&there);
    let cap = NonZeroUsize::new(3).unwrap();
    let series = move || {
        let numbers = 0..read.load(Ordering::Relaxed);
        numbers.map(|number| ([number.to_string()], 0.5))
    };
    registry
        .observed_gauge_family("level", "", ["of"], cap, series)
        .unwrap();
    let scraped = || registry.render(None).unwrap().body;
    let overflow = "telemetry_label_overflow_total{metric=\"level\"}";
    assert!(!scraped().contains("level{"));
    there.store(3, Ordering::Relaxed);
    let body = scraped();
    for number in 0..3 {
        let sample = format!("level{{of=\"{number}\"}} 0.5\n");
        assert!(body.contains(&sample), "{body}");
    }
    assert!(body.contains(&format!("{overflow} 0\n")), "{body}");
    there.store(5, Ordering::Relaxed);
    assert!(!scraped().contains("level{of=\"3\"}"));
    // What is counted during a scrape is seen by the next.
    assert!(scraped().contains(&format!("{overflow} 2\n")));
    there.store(1, Ordering::Relaxed);
    assert!(!scraped().contains("level{of=\"1\"}"));
}
