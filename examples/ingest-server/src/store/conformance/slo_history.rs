//! What every [`SloHistory`] must do.

use std::{ops::Range, slice, sync::Arc};

use crate::store::{MemorySloHistory, OwnSlots, SloBucket, SloHistory, SloQuery, SloSum, Slot};

const SLOS: [&str; 2] = ["availability", "latency"];

fn bucket(slo: &'static str, slot: i64, node: &str, good: u64, bad: u64) -> SloBucket {
    SloBucket {
        slo,
        slot: Slot::new(slot),
        node: node.into(),
        good,
        bad,
    }
}

fn span(slots: Range<i64>) -> Range<Slot> {
    Slot::new(slots.start)..Slot::new(slots.end)
}

fn sum(slo: &'static str, span: usize, good: u64, bad: u64, first: Option<i64>) -> SloSum {
    SloSum {
        slo,
        span,
        good,
        bad,
        first: first.map(Slot::new),
    }
}

async fn sums(
    history: &impl SloHistory,
    spans: &[Range<i64>],
    except: &[(&str, i64)],
) -> Vec<SloSum> {
    let own = |&(node, from): &(&str, i64)| OwnSlots {
        node: Arc::from(node),
        from: Slot::new(from),
    };
    let query = SloQuery {
        slos: SLOS.into(),
        spans: spans.iter().cloned().map(span).collect(),
        except: except.iter().map(own).collect(),
    };
    let mut sums = history.sums(&query).await.unwrap();
    sums.sort_by_key(|sum| (sum.slo, sum.span));
    sums
}

/// On an empty history, through two handles on it.
pub(in crate::store) async fn check(history: &impl SloHistory, other: &impl SloHistory) {
    let [nothing, ..] = &sums(history, slice::from_ref(&(0..9)), &[]).await[..] else {
        panic!("an objective without counts has sums too")
    };
    assert_eq!(*nothing, sum("availability", 0, 0, 0, None));
    history.put(&[]).await.unwrap();

    let first = [
        bucket("availability", 3, "a", 10, 1),
        bucket("availability", 4, "a", 20, 2),
        bucket("latency", 4, "a", 300, 30),
    ];
    // The same again changes nothing.
    for _ in 0..2 {
        history.put(&first).await.unwrap();
    }
    let of_other = [
        bucket("availability", 4, "b", 4_000, 400),
        bucket("latency", 5, "b", 5, 0),
    ];
    other.put(&of_other).await.unwrap();
    // What is more by now takes the place of what there was, of its node alone.
    history
        .put(&[bucket("availability", 4, "a", 21, 3)])
        .await
        .unwrap();
    let expected = [
        sum("availability", 0, 4_021, 403, Some(4)),
        sum("availability", 1, 10, 1, Some(3)),
        sum("availability", 2, 0, 0, None),
        sum("latency", 0, 300, 30, Some(4)),
        sum("latency", 1, 0, 0, None),
        sum("latency", 2, 5, 0, Some(5)),
    ];
    for seen_by in [&sums(history, &[4..5, 0..4, 5..6], &[]).await, &{
        sums(other, &[4..5, 0..4, 5..6], &[]).await
    }] {
        assert_eq!(*seen_by, expected);
    }

    // What a node knows better is left out, from its slot on.
    let except = [("a", 4), ("nobody", 0)];
    let expected = [
        sum("availability", 0, 4_010, 401, Some(3)),
        sum("latency", 0, 5, 0, Some(5)),
    ];
    assert_eq!(
        sums(history, slice::from_ref(&(0..9)), &except).await,
        expected
    );

    // Old is what is before the slot, of the objectives that are named.
    assert_eq!(history.prune(&[], Slot::new(9)).await.unwrap(), 0);
    assert_eq!(history.prune(&SLOS, Slot::new(3)).await.unwrap(), 0);
    let of_one = history.prune(&["latency"], Slot::new(5)).await.unwrap();
    assert_eq!(of_one, 1);
    assert_eq!(history.prune(&SLOS, Slot::new(5)).await.unwrap(), 3);
    let expected = [
        sum("availability", 0, 0, 0, None),
        sum("latency", 0, 5, 0, Some(5)),
    ];
    assert_eq!(sums(other, slice::from_ref(&(0..9)), &[]).await, expected);
    // As much as it says at once, and the rest next time.
    let many = 5_000_u32;
    let many: Vec<_> = (0..many)
        .map(|slot| bucket("availability", slot.into(), "a", 1, 0))
        .collect();
    for part in many.chunks(500) {
        history.put(part).await.unwrap();
    }
    let removed = history.prune(&SLOS, Slot::new(4_990)).await.unwrap();
    assert_eq!(removed, 4_096);
    let removed = history.prune(&SLOS, Slot::new(4_990)).await.unwrap();
    assert_eq!(removed, 4_990 + 1 - 4_096);
    let left = sums(history, slice::from_ref(&(0..9_000)), &[]).await;
    assert_eq!(left[0], sum("availability", 0, 10, 0, Some(4_990)));
}

#[tokio::test]
async fn memory_keeps_the_contract_of_the_history_of_objectives() {
    let history = MemorySloHistory::default();
    check(&history, &history).await;
}
