//! Whatever holders do, the bounds hold and nothing is left behind.

use proptest::prelude::*;

use super::*;

#[test]
fn one_holder_gets_a_quarter_and_all_together_the_total() {
    let shares = Shares::new(8);
    let mut held: Vec<Share<&str>> = Vec::new();
    for holder in ["a", "b", "c", "d"] {
        held.push(shares.take(Some(holder), 2).unwrap());
        assert_eq!(shares.take(Some(holder), 1).unwrap_err(), Exceeded::Own);
    }
    assert_eq!(shares.take(Some("e"), 1).unwrap_err(), Exceeded::Total);
    assert_eq!(shares.take(None, 1).unwrap_err(), Exceeded::Total);
    held.remove(0);
    drop(shares.take(Some("e"), 2).unwrap());
    drop(shares.take(None, 2).unwrap());
}

#[test]
fn a_share_that_is_passed_on_counts_for_the_new_holder_alone() {
    let shares = Shares::new(4);
    let mut share = shares.take(Some("network"), 1).unwrap();
    share.pass_to("tenant").unwrap();
    assert_eq!(shares.take(Some("tenant"), 1).unwrap_err(), Exceeded::Own);
    let mut second = shares.take(Some("network"), 1).unwrap();
    assert_eq!(second.pass_to("tenant"), Err(Exceeded::Own));
    // It still is the first holder's.
    assert_eq!(shares.take(Some("network"), 1).unwrap_err(), Exceeded::Own);
    assert_eq!(shares.taken(), 2);
}

#[derive(Debug, Clone)]
enum Step {
    Take(Option<u8>, usize),
    Grow(usize, usize),
    Shrink(usize, usize),
    Pass(usize, u8),
    Drop(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (proptest::option::of(0..4_u8), 0..20_usize).prop_map(|(holder, n)| Step::Take(holder, n)),
        (any::<usize>(), 0..20_usize).prop_map(|(at, n)| Step::Grow(at, n)),
        (any::<usize>(), 0..20_usize).prop_map(|(at, n)| Step::Shrink(at, n)),
        (any::<usize>(), 0..4_u8).prop_map(|(at, holder)| Step::Pass(at, holder)),
        any::<usize>().prop_map(Step::Drop),
    ]
}

proptest! {
    #[test]
    fn no_sequence_breaks_a_bound_or_leaves_anything_behind(
        steps in prop::collection::vec(step(), 0..100)
    ) {
        let shares = Shares::new(40);
        let mut held: Vec<Share<u8>> = Vec::new();
        for step in steps {
            let count = held.len().max(1);
            match step {
                Step::Take(holder, units) => held.extend(shares.take(holder, units)),
                Step::Grow(at, units) => {
                    if let Some(share) = held.get_mut(at % count) {
                        let _ = share.grow(units);
                    }
                }
                Step::Shrink(at, units) => {
                    if let Some(share) = held.get_mut(at % count) {
                        share.shrink(units);
                    }
                }
                Step::Pass(at, holder) => {
                    if let Some(share) = held.get_mut(at % count) {
                        let _ = share.pass_to(holder);
                    }
                }
                Step::Drop(at) if at % count < held.len() => drop(held.swap_remove(at % count)),
                Step::Drop(_) => {}
            }
            let all: usize = held.iter().map(|share| share.units).sum();
            prop_assert_eq!(shares.taken(), all);
            prop_assert!(all <= shares.total());
            for holder in 0..4 {
                let its = held.iter().filter(|share| share.holder == Some(holder));
                prop_assert!(its.map(|share| share.units).sum::<usize>() <= shares.quarter());
            }
        }
        held.clear();
        prop_assert_eq!(shares.taken(), 0);
        prop_assert!(shares.lock().by.is_empty());
    }
}
