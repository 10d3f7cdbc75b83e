//! Pairs of fallbacks that must decide alike.

use proptest::prelude::*;

use super::{
    CATEGORY, LONGEST_OPEN, Link, Node, Step, TIER, histories, policy, request, rule, seconds,
    start_plus,
};
use crate::policy::{Policy, Rule};

fn enforced() -> Policy {
    policy(|rules| {
        rules.tenant(TIER, rule(9, 60)).key(
            TIER,
            CATEGORY,
            Rule::new(super::limit(7, 40).with_debt(30).unwrap()),
        )
    })
}

fn with_shadows() -> Policy {
    policy(|rules| {
        rules
            .tenant(TIER, rule(9, 60))
            .category(TIER, CATEGORY, rule(1, 5).shadow())
            .key(
                TIER,
                CATEGORY,
                Rule::new(super::limit(7, 40).with_debt(30).unwrap()),
            )
            .address(TIER, CATEGORY, rule(1, 200).shadow())
    })
}

fn cut_off() -> Node {
    let node = Node::of(1, 0.5);
    node.primary.set(Link::Down);
    node
}

/// The same history once more, after as long as a breaker may be open.
fn later(history: &[Step]) -> Vec<Step> {
    let (first, last) = (history[0].at, history[history.len() - 1].at);
    let wait = last.since(first) + LONGEST_OPEN;
    let moved = history.iter().cloned().map(|step| Step {
        at: start_plus(step.at, wait),
        ..step
    });
    moved.collect()
}

proptest! {
    /// A fallback that sees only what is admitted goes on exactly like one that sees everything. (What is
    /// unsettled is not compared: each notices at calls of its own that some has been forgotten.)
    #[test]
    fn refusal_changes_no_state(history in histories(seconds(10), 3, 12, 100)) {
        let (everything, only_admitted, policy) = (cut_off(), cut_off(), enforced());
        for step in history {
            let peek = step.request().with_cost(0);
            let peek = |node: &Node| node.charge(&policy, &peek, step.at).known();
            let before = peek(&everything);
            prop_assert_eq!(before, peek(&only_admitted));
            if everything.admits(&policy, &step.request(), step.at) {
                prop_assert!(only_admitted.admits(&policy, &step.request(), step.at));
            } else {
                prop_assert_eq!(before, peek(&everything));
            }
            let (one, other) = (everything.store.stats(), only_admitted.store.stats());
            prop_assert_eq!(one.admitted_tokens, other.admitted_tokens);
        }
    }

    #[test]
    fn shadow_limits_on_or_off_give_the_same_enforced_decisions(
        history in histories(seconds(10), 3, 9, 100),
        links in prop::collection::vec(any::<bool>(), 100),
    ) {
        let (with, without) = (Node::of(1, 0.5), Node::of(1, 0.5));
        let (shadowed, enforced) = (with_shadows(), enforced());
        let both = history.iter().cloned().chain(later(&history));
        for (number, step) in both.enumerate() {
            for node in [&with, &without] {
                node.primary.set(if links[number % 100] { Link::Up } else { Link::Down });
            }
            let taken = step.run(&with.store, &shadowed);
            prop_assert_eq!(taken, step.run(&without.store, &enforced));
            let peek = step.request().with_cost(0);
            let one = with.charge(&shadowed, &peek, step.at).known();
            let other = without.charge(&enforced, &peek, step.at).known();
            prop_assert_eq!(one.status(&shadowed, 0), other.status(&enforced, 0));
            prop_assert_eq!(one.status(&shadowed, 2), other.status(&enforced, 1));
        }
    }

    /// During an outage, and when the primary is told afterwards.
    #[test]
    fn one_tenants_load_never_changes_anothers_decisions(
        history in histories(seconds(10), 4, 9, 150),
    ) {
        let (busy, quiet, policy) = (cut_off(), cut_off(), enforced());
        let check = |step: &Step| {
            let among_others = step.run(&busy.store, &policy);
            if step.tenant == "tenant-0" {
                prop_assert_eq!(among_others, step.run(&quiet.store, &policy));
                let peek = step.request().with_cost(0);
                let one = busy.charge(&policy, &peek, step.at).known();
                prop_assert_eq!(one, quiet.charge(&policy, &peek, step.at).known());
            }
            Ok(())
        };
        history.iter().try_for_each(check)?;
        for node in [&busy, &quiet] {
            node.primary.set(Link::Up);
        }
        // The first call of each is the probe, and the breaker is closed from then on.
        let after = later(&history);
        for node in [&busy, &quiet] {
            let probe = request("probe").with_cost(0);
            node.charge(&policy, &probe, after[0].at).known();
        }
        after.iter().try_for_each(check)?;
    }
}
