//! Each counter is given once, in whatever order threads come.

use std::{collections::HashSet, thread};

use loom::sync::{Arc, atomic::AtomicU64 as LoomU64};

use super::*;

impl<N: SharedNumber> Counters<N> {
    /// After the first block, at the beginning of another.
    pub(in super::super) fn starting_at(next_block: u64) -> Self {
        Self {
            next: N::from(BLOCK_MESSAGES.into()),
            striped: Box::new(Striped::starting_at(next_block)).into(),
        }
    }

    /// At the end of the first block. What follows it is there already: of the standard library, which shares it, a
    /// model knows nothing.
    fn at_the_end_of_the_first_block() -> Self {
        Self {
            next: N::from((BLOCK_MESSAGES - 1).into()),
            ..Self::starting_at(BLOCK_MESSAGES.into())
        }
    }
}

#[test]
fn a_few_messages_take_no_memory_of_their_own() {
    let counters = <Counters>::default();
    for expected in 0..64 {
        assert_eq!(counters.take(), Some(expected));
        assert!(counters.striped.get().is_none());
    }
    assert_eq!(counters.take(), Some(64));
    assert!(counters.striped.get().is_some());
    assert!(size_of::<Counters>() <= 24);
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

/// What `takes` threads get of counters, in every order in which what they do may come: `takes` says from
/// which share each takes, and how often.
fn in_every_order(
    counters: impl Fn() -> Counters<LoomU64> + Send + Sync + 'static,
    take: fn(&Counters<LoomU64>, usize) -> Option<u32>,
    takes: &'static [(usize, usize)],
) {
    loom::model(move || {
        let counters = Arc::new(counters());
        let threads = takes.iter().map(|&(share, times)| {
            let counters = Arc::clone(&counters);
            loom::thread::spawn(move || {
                let taken = (0..times).map(|_| take(&counters, share));
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
    in_every_order(
        || Counters::starting_at(64),
        Counters::take_from,
        &[(0, 1), (1, 1)],
    );
}

#[test]
fn threads_of_one_share_that_ask_at_once_get_a_counter_each() {
    in_every_order(
        || Counters::starting_at(64),
        Counters::take_from,
        &[(0, 2), (0, 2)],
    );
}

#[test]
fn the_last_block_is_given_once() {
    let last_block = u64::from(EPOCH_MESSAGES - BLOCK_MESSAGES);
    in_every_order(
        move || Counters::starting_at(last_block),
        Counters::take_from,
        &[(0, 1), (1, 1)],
    );
}

#[test]
fn threads_that_race_for_the_first_counters_get_one_each() {
    in_every_order(Counters::default, Counters::take_from, &[(0, 2), (1, 2)]);
}

#[test]
fn threads_that_race_for_the_last_counter_of_the_first_block_get_one_each() {
    let counters = Counters::at_the_end_of_the_first_block;
    for takes in [&[(0, 2), (1, 1)], &[(0, 1), (0, 2)]] {
        in_every_order(counters, Counters::take_one_by_one, takes);
    }
}

#[test]
fn threads_that_race_through_the_first_block_get_a_counter_each() {
    const THREADS: usize = 4;
    const EACH: usize = 128;
    for _ in 0..1_000 {
        let counters = <Counters>::default();
        let taken: Vec<u32> = thread::scope(|scope| {
            let take = || {
                (0..EACH)
                    .filter_map(|_| counters.take())
                    .collect::<Vec<_>>()
            };
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(take)).collect();
            let threads = threads.into_iter();
            threads
                .flat_map(|thread| thread.join().expect("no panic"))
                .collect()
        });
        let once: HashSet<_> = taken.iter().copied().collect();
        assert_eq!(once.len(), THREADS * EACH);
    }
}
