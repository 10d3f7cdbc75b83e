//! The policies in force: read by every check, replaced hardly ever.

use std::{
    array,
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use arc_swap::ArcSwap;

use crate::policy::Policies;

/// Policies that can be replaced while others read them.
///
/// Each thread keeps those that it has read last, and looks whether they are still the ones in force. It
/// takes them from one of a few copies, so that few threads count on the same memory who holds a policy.
/// Replaced ones are kept by a thread until it reads others, or ends.
#[derive(Debug)]
pub(super) struct InForce {
    copies: ArcSwap<[Arc<Policies>; COPIES]>,
    /// Of all policies that were ever put in force in this process, by any limiter, the number of these.
    /// Written after them: who sees a number sees these policies, or later ones with a number to come.
    edition: AtomicU64,
}

/// What a thread knows.
struct OfThread {
    /// Which of the copies it takes. Threads take turns at them, in the order in which they first read.
    copy: usize,
    last: Option<Edition>,
}

struct Edition {
    number: u64,
    policies: Arc<Policies>,
}

const COPIES: usize = 8;

thread_local! {
    static OF_THREAD: RefCell<OfThread> = RefCell::new(OfThread::new());
}

impl InForce {
    pub(super) fn new(policies: Policies) -> Self {
        Self {
            copies: ArcSwap::new(copies(policies)),
            edition: AtomicU64::new(next_edition()),
        }
    }

    pub(super) fn replace(&self, policies: Policies) {
        self.copies.store(copies(policies));
        self.edition.store(next_edition(), Ordering::Release);
    }

    pub(super) fn load(&self) -> Arc<Policies> {
        self.copy(0)
    }

    /// What `read` finds in them.
    #[inline]
    pub(super) fn read<T>(&self, read: impl Fn(&Policies) -> T) -> T {
        let edition = self.edition.load(Ordering::Acquire);
        let found = OF_THREAD.try_with(|of_thread| {
            let mut of_thread = of_thread.try_borrow_mut().ok()?;
            let policies = match &of_thread.last {
                Some(last) if last.number == edition => &last.policies,
                _ => self.load_for(&mut of_thread, edition),
            };
            Some(read(policies))
        });
        // A thread that is about to end remembers nothing any more.
        let found = found.ok().flatten();
        found.unwrap_or_else(|| read(&self.load()))
    }

    #[cold]
    fn load_for<'a>(&self, of_thread: &'a mut OfThread, number: u64) -> &'a Arc<Policies> {
        let policies = self.copy(of_thread.copy);
        let edition = of_thread.last.insert(Edition { number, policies });
        &edition.policies
    }

    fn copy(&self, number: usize) -> Arc<Policies> {
        Arc::clone(&self.copies.load()[number])
    }
}

impl OfThread {
    fn new() -> Self {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        Self {
            copy: THREADS.fetch_add(1, Ordering::Relaxed) % COPIES,
            last: None,
        }
    }
}

fn copies(policies: Policies) -> Arc<[Arc<Policies>; COPIES]> {
    Arc::new(array::from_fn(|_| Arc::new(policies.copied())))
}

fn next_edition() -> u64 {
    static EDITIONS: AtomicU64 = AtomicU64::new(0);
    EDITIONS.fetch_add(1, Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, sync::mpsc, thread};

    use super::{COPIES, InForce};
    use crate::{
        name::{Category, Tier},
        policy::{Limit, Policies, Rate, Rule},
    };

    fn of_burst(burst: u32) -> Policies {
        let limit = Limit::new(Rate::tokens_per_second(1), burst).unwrap();
        let policies = Policies::builder();
        let policies = policies.category(Tier::FREE, Category::READ, Rule::new(limit));
        policies.client_address(Rule::new(limit)).build().unwrap()
    }

    /// The burst that a check would find.
    fn burst(policies: &InForce) -> u32 {
        let policy = policies.read(|all| all.policy(&Tier::FREE, &Category::READ).cloned());
        policy.unwrap().limits()[0].limit().burst()
    }

    #[test]
    fn a_copy_is_equal_and_holds_nothing_of_the_original() {
        let policies = of_burst(3);
        let copied = policies.copied();
        assert_eq!(copied, policies);
        for (copy, original) in copied.iter().zip(policies.iter()) {
            assert!(!std::ptr::eq(copy, original));
        }
    }

    #[test]
    fn threads_read_different_copies() {
        let policies = &InForce::new(of_burst(1));
        let address = || policies.read(|all| std::ptr::from_ref(all).addr());
        let addresses: HashSet<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4 * COPIES).map(|_| scope.spawn(address)).collect();
            let threads = threads.into_iter();
            threads.map(|thread| thread.join().unwrap()).collect()
        });
        assert!((2..=COPIES).contains(&addresses.len()));
        assert_eq!(address(), address());
    }

    #[test]
    fn a_thread_that_has_read_them_sees_those_that_replace_them() {
        let policies = &InForce::new(of_burst(1));
        thread::scope(|scope| {
            let (asks, asked) = mpsc::channel();
            let (answers, answered) = mpsc::channel();
            scope.spawn(move || {
                for () in asked {
                    answers.send(burst(policies)).unwrap();
                }
            });
            for replaced_by in [2, 3, 4] {
                asks.send(()).unwrap();
                assert_eq!(answered.recv().unwrap(), replaced_by - 1);
                policies.replace(of_burst(replaced_by));
                assert_eq!(burst(policies), replaced_by);
            }
        });
    }

    #[test]
    fn those_of_two_limiters_are_told_apart_on_one_thread() {
        let (one, other) = (InForce::new(of_burst(1)), InForce::new(of_burst(2)));
        for _ in 0..3 {
            assert_eq!((burst(&one), burst(&other)), (1, 2));
        }
        one.replace(of_burst(3));
        assert_eq!((burst(&one), burst(&other)), (3, 2));
    }

    #[test]
    fn they_can_be_read_while_they_are_read_and_while_a_thread_ends() {
        let policies = InForce::new(of_burst(7));
        assert_eq!(policies.read(|_| burst(&policies)), 7);

        struct AtTheEnd(InForce, mpsc::Sender<u32>);
        impl Drop for AtTheEnd {
            fn drop(&mut self) {
                self.1.send(burst(&self.0)).unwrap();
            }
        }
        thread_local!(static LAST: std::cell::OnceCell<AtTheEnd> = const { std::cell::OnceCell::new() });
        let (ends, ended) = mpsc::channel();
        thread::spawn(move || {
            LAST.with(|last| last.set(AtTheEnd(policies, ends)).is_ok());
            LAST.with(|last| burst(&last.get().unwrap().0));
        })
        .join()
        .unwrap();
        assert_eq!(ended.recv(), Ok(7));
    }
}
