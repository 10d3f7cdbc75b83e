//! Each counter is given once, in whatever order threads come.

use std::{collections::HashSet, thread};

use loom::sync::{Arc, atomic::AtomicU64 as LoomU64};

use super::*;

impl<N: SharedNumber> Counters<N> {
    pub(in super::super) fn starting_at(next_block: u64) -> Self {
        Self {
            next_block: N::from(next_block),
            ..Self::default()
        }
    }
}

#[test]
fn there_are_2_to_the_20_counters_one_after_the_other() {
    let counters = <Counters>::default();
    for expected in 0..1 << 20 {
        assert_eq!(counters.take(), Some(expected));
    }
    for _ in 0..100 {
        assert_eq!(counters.take(), None);
    }
    for beyond in [1 << 20, 1 << 32, (1 << 32) + 64, 1 << 40] {
        assert_eq!(<Counters>::starting_at(beyond).take(), None, "{beyond}");
    }
}

#[test]
fn of_a_block_that_lost_the_race_for_a_share_one_counter_is_given() {
    let counters = <Counters>::default();
    let Share(share) = &counters.shares[share_of_this_thread()];
    let used_up = share.load(Ordering::Relaxed);
    assert_eq!(counters.take(), Some(0));
    // Another thread saw the share used up as well, and comes late.
    assert_eq!(counters.take_first_of_block(share, used_up), Some(64));
    for expected in (1..64).chain(128..192) {
        assert_eq!(counters.take(), Some(expected));
    }
}

/// More threads than shares, so that some take from one block.
#[test]
fn threads_that_race_for_them_all_get_each_once_and_leave_few() {
    const THREADS: usize = 8;
    const LEFT: u32 = 1 << 17;
    let counters = <Counters>::starting_at(u64::from(EPOCH_MESSAGES - LEFT));
    let taken: Vec<u32> = thread::scope(|scope| {
        let take_all = || std::iter::from_fn(|| counters.take()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(take_all)).collect();
        let threads = threads.into_iter();
        threads
            .flat_map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    let once: HashSet<_> = taken.iter().copied().collect();
    assert_eq!(once.len(), taken.len());
    assert!(once.iter().all(|counter| *counter < EPOCH_MESSAGES));
    let firsts = (EPOCH_MESSAGES - LEFT..EPOCH_MESSAGES).step_by(64);
    assert!(firsts.into_iter().all(|first| once.contains(&first)));
    // A block is lost where two threads of one share ask for the next at once.
    assert!(taken.len() > 1 << 16, "{} were given", taken.len());
}

/// What `takes` threads get of the counters from `first` on, in every order in which what they do may come:
/// `takes` says from which share each takes, and how often.
fn in_every_order(first: u32, takes: &'static [(usize, usize)]) {
    loom::model(move || {
        let counters = Arc::new(Counters::<LoomU64>::starting_at(u64::from(first)));
        let threads = takes.iter().map(|&(share, times)| {
            let counters = Arc::clone(&counters);
            loom::thread::spawn(move || {
                let taken = (0..times).map(|_| counters.take_from(share));
                taken.collect::<Vec<_>>()
            })
        });
        let threads: Vec<_> = threads.collect();
        let taken = threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"));
        let taken: Vec<u32> = taken.flatten().collect();
        let once: HashSet<_> = taken.iter().copied().collect();
        assert_eq!(once.len(), taken.len(), "{taken:?}");
        assert!(once.iter().all(|counter| *counter < EPOCH_MESSAGES));
    });
}

#[test]
fn shares_that_ask_for_a_block_at_once_get_two() {
    in_every_order(0, &[(0, 1), (1, 1)]);
}

#[test]
fn threads_of_one_share_that_ask_at_once_get_a_counter_each() {
    in_every_order(0, &[(0, 2), (0, 2)]);
}

#[test]
fn the_last_block_is_given_once() {
    in_every_order(EPOCH_MESSAGES - BLOCK_MESSAGES, &[(0, 1), (1, 1)]);
}
