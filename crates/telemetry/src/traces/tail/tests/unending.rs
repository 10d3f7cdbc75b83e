//! Traces that never end: neither they nor what ends in them goes beyond the bounds.

use tracing::info;

use super::*;

#[test]
fn traces_that_never_end_hold_no_more_than_the_bounds() {
    let most = NonZeroUsize::new(64).unwrap();
    let stage = Stage::tail_only(rules(|rules| rules.traces = most));
    let unended: Vec<Begun> = (0..10_000).map(|_| stage.root("never")).collect();
    assert_eq!(
        stage.held().0 as u64 + stage.evicted(Evicted::Traces),
        10_000
    );
    assert!(stage.held().0 <= most.get());
    let children: Vec<Begun> = unended
        .iter()
        .map(|root| stage.start("child", root))
        .collect();
    assert!(stage.held().0 <= most.get());
    drop((children, unended));
    assert!(stage.held().0 <= most.get());
}

/// Each of the three bounds is reached on the way.
#[test]
fn what_ends_in_traces_that_never_end_is_held_within_the_bounds() {
    const TRACES: usize = SHARDS * 4;
    const BYTES: usize = SHARDS * (128 << 10);
    let stage = Stage::tail_only(rules(|rules| {
        rules.traces = NonZeroUsize::new(TRACES).unwrap();
        rules.spans_per_trace = NonZeroUsize::new(8).unwrap();
        rules.bytes = NonZeroUsize::new(BYTES).unwrap();
    }));
    let layer = SpanLayer::new::<tracing_subscriber::Registry>(Arc::clone(&stage.recorder));
    let text = "x".repeat(2_000);
    let (mut roots, mut most) = (Vec::new(), 0);
    with_default(tracing_subscriber::registry().with(layer), || {
        for number in 0..1_000 {
            let root = info_span!(parent: None, "never");
            // So many are too many spans, and too many bytes in a few traces; one is little in many.
            let children = if number % 200 < 100 { 12 } else { 1 };
            for _ in 0..children {
                let child = info_span!(parent: &root, "child", text);
                child.in_scope(|| info!(text, "happened"));
                drop(child);
                let (traces, bytes) = stage.held();
                assert!(traces <= TRACES && bytes <= BYTES, "{traces} {bytes}");
                most = most.max(bytes);
            }
            roots.push(root);
        }
        for reason in [Evicted::Traces, Evicted::SpansPerTrace, Evicted::Bytes] {
            assert!(stage.evicted(reason) > 0, "{reason:?}");
        }
        assert!(most > BYTES / 2, "there was something to hold: {most}");
        drop(roots);
    });
    assert_eq!(stage.held(), (0, 0), "what was added was taken away again");
}
