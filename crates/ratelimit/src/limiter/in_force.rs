//! The policies in force: read by every check, replaced hardly ever.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;

use crate::policy::Policies;

/// Policies that can be replaced while others read them.
///
/// Each thread keeps a copy of those that it has read last, and looks whether they are still the ones in
/// force. So a check writes to no memory that other threads want at the same time, the counts of who holds
/// a policy among it. A copy is a few hundred bytes for a tier; it goes when its thread ends, or reads other
/// policies than these.
#[derive(Debug)]
pub(super) struct InForce {
    policies: ArcSwap<Policies>,
    /// Of all policies that were ever put in force in this process, by any limiter, the number of these.
    /// Written after them: who sees a number sees these policies, or later ones with a number to come.
    edition: AtomicU64,
}

struct Copied {
    edition: u64,
    policies: Policies,
}

thread_local! {
    static COPIED: RefCell<Option<Copied>> = const { RefCell::new(None) };
}

impl InForce {
    pub(super) fn new(policies: Policies) -> Self {
        Self {
            policies: ArcSwap::from_pointee(policies),
            edition: AtomicU64::new(next_edition()),
        }
    }

    pub(super) fn replace(&self, policies: Policies) {
        self.policies.store(Arc::new(policies));
        self.edition.store(next_edition(), Ordering::Release);
    }

    pub(super) fn load(&self) -> Arc<Policies> {
        self.policies.load_full()
    }

    /// What `read` finds in them.
    #[inline]
    pub(super) fn read<T>(&self, read: impl Fn(&Policies) -> T) -> T {
        let edition = self.edition.load(Ordering::Acquire);
        let found = COPIED.try_with(|copied| {
            let mut copied = copied.try_borrow_mut().ok()?;
            let copied = match &mut *copied {
                Some(copied) if copied.edition == edition => copied,
                other => self.copy_to(other, edition),
            };
            Some(read(&copied.policies))
        });
        // A thread that is about to end has no copy any more.
        let found = found.ok().flatten();
        found.unwrap_or_else(|| read(&self.policies.load()))
    }

    #[cold]
    fn copy_to<'a>(&self, copied: &'a mut Option<Copied>, edition: u64) -> &'a mut Copied {
        copied.insert(Copied {
            edition,
            policies: self.policies.load().copied(),
        })
    }
}

fn next_edition() -> u64 {
    static EDITIONS: AtomicU64 = AtomicU64::new(0);
    EDITIONS.fetch_add(1, Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::InForce;
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
