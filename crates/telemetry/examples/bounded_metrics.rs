//! A registry of its own: bounded families, handles that are resolved once, and the body of
//! `/metrics`.

use std::num::NonZeroUsize;

use portcullis_telemetry::{Buckets, MetricError, Registry};

const MAX_SHOPS: NonZeroUsize = NonZeroUsize::new(2).expect("not zero");

fn main() -> Result<(), MetricError> {
    let registry = Registry::new();
    let orders = registry.counter_family("orders_total", "Orders", ["shop"], MAX_SHOPS)?;
    let took = registry.histogram(
        "order_seconds",
        "Time of an order",
        Buckets::REQUEST_SECONDS,
    )?;
    registry.observed_gauge("queue_depth", "Orders that wait", || 3.0)?;

    // A look-up takes a hash and a lock; a handle is an atomic addition.
    let berlin = orders.with(["berlin"]);
    berlin.inc();
    berlin.inc();
    took.observe(0.110);
    // Invented label values share one series when the family is full.
    for shop in ["paris", "invented", "invented too"] {
        orders.with([shop]).inc();
    }

    let exposition = registry.render(Some("text/plain"))?;
    assert!(exposition.content_type.starts_with("text/plain"));
    for sample in [
        r#"orders_total{shop="berlin"} 2"#,
        r#"orders_total{shop="__other__"} 2"#,
        r#"order_seconds_bucket{le="0.12"} 1"#,
        r#"telemetry_label_overflow_total{metric="orders_total"} 2"#,
        "queue_depth 3.0",
    ] {
        assert!(
            exposition.body.lines().any(|line| line == sample),
            "{sample}"
        );
    }

    let taken = registry.gauge("orders", "Another metric with these samples");
    assert!(matches!(taken, Err(MetricError::Duplicate(_))));
    Ok(())
}
