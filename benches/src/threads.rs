//! The same work on several threads at once.

use std::{sync::Barrier, thread, time::Duration};

use criterion::{Bencher, measurement::Measurement as _};

use crate::processor_time::ProcessorTime;

/// Measures an operation while so many threads do it at the same time: what one of them takes of its
/// processor, waiting in a queue for a lock left out and spinning for it included.
///
/// `prepare` makes each thread its operation, from the thread's number.
///
/// # Panics
/// If the operation does.
pub fn on_threads<O: FnMut()>(
    bencher: &mut Bencher<'_, ProcessorTime>,
    threads: usize,
    prepare: impl Fn(usize) -> O + Sync,
) {
    bencher.iter_custom(|iterations| {
        let together = Barrier::new(threads);
        let one = |number| {
            let mut operation = prepare(number);
            together.wait();
            let start = ProcessorTime.start();
            for _ in 0..iterations {
                operation();
            }
            ProcessorTime.end(start)
        };
        let taken: Duration = thread::scope(|scope| {
            let started: Vec<_> = (0..threads)
                .map(|number| {
                    let one = &one;
                    scope.spawn(move || one(number))
                })
                .collect();
            let ended = started.into_iter();
            ended
                .map(|thread| thread.join().expect("the operation does not panic"))
                .sum()
        });
        taken / u32::try_from(threads).expect("there are few threads")
    });
}
