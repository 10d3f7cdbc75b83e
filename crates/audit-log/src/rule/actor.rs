//! What is remembered of one actor.

use super::{
    Finding, MINUTE, NetworkHash, Rule, RuleSettings, bulk::Bulk, failures::Failures, hours::Hours,
    places::Places,
};
use crate::event::{Activity, ActorType, EventId, Id, Leaf, Outcome};

/// One finding of a rule for an actor in this time.
const QUIET: u64 = 10 * MINUTE;
const MANY_FIELDS: usize = 5;

#[derive(Debug, Default)]
pub(super) struct ActorHistory {
    last: u64,
    reported: [Option<u64>; Rule::ALL.len()],
    bulk: Bulk,
    failures: Failures,
    hours: Hours,
    places: Places,
}

/// What one leaf makes of what is remembered.
struct Found<'a> {
    leaf: &'a Leaf<'a>,
    now: u64,
    findings: Vec<Finding>,
}

impl ActorHistory {
    /// When the actor was last seen, in microseconds since 1970.
    pub(super) const fn last(&self) -> u64 {
        self.last
    }

    pub(super) fn observe(
        &mut self,
        settings: &RuleSettings,
        leaf: &Leaf<'_>,
        network: Option<NetworkHash>,
    ) -> Vec<Finding> {
        // Nodes have clocks of their own: what is said to be earlier than the last counts as at the same time.
        self.last = self.last.max(leaf.time().unix_micros());
        let now = self.last;
        let mut found = Found {
            leaf,
            now,
            findings: Vec::new(),
        };
        self.break_glass(settings, &mut found);
        // It does what it is told to, in bulk and at any hour, and its one id stands for all who tell it.
        if leaf.actor_type() == ActorType::System {
            return found.findings;
        }
        let this = || vec![leaf.id()];
        let is_read = leaf.activity() == Activity::Read;
        match leaf.outcome() {
            Outcome::Success | Outcome::Unknown if is_read => {
                if let Some((count, refs)) = self.bulk.observe(leaf, now) {
                    self.report(&mut found, Rule::Bulk, count, refs);
                }
                let fields = leaf.fields().count();
                if fields > MANY_FIELDS {
                    self.report(&mut found, Rule::Fields, fields as u64, this());
                }
            }
            Outcome::Success | Outcome::Unknown => {}
            Outcome::Denied | Outcome::Failure => {
                if let Some((count, refs)) = self.failures.observe(leaf, now) {
                    self.report(&mut found, Rule::Failures, count, refs);
                }
            }
        }
        let is_automated = |code| {
            settings
                .automated
                .iter()
                .any(|known| known.as_str() == code)
        };
        if leaf.reason_code().is_some_and(is_automated) {
            self.report(&mut found, Rule::Automated, 1, this());
        }
        if leaf.actor_type() == ActorType::Anonymous {
            // Those who come from a network keep no hours together, and are nowhere else.
            return found.findings;
        }
        if self.hours.observe(now) {
            self.report(&mut found, Rule::Hour, 1, this());
        }
        if network.is_some_and(|network| self.places.observe(network, now)) {
            self.report(&mut found, Rule::NewNetwork, 1, this());
        }
        found.findings
    }

    fn break_glass(&mut self, settings: &RuleSettings, found: &mut Found<'_>) {
        let leaf = found.leaf;
        let reasons = &settings.break_glass_reasons;
        let is_reason = |code| reasons.iter().any(|known| known.as_str() == code);
        if settings
            .break_glass
            .iter()
            .any(|known| known.as_str() == leaf.action())
        {
            // Always: each is looked at by somebody else.
            self.reported[Rule::BreakGlass.index()] = None;
            self.report(found, Rule::BreakGlass, 1, vec![leaf.id()]);
        } else if leaf.reason_code().is_some_and(is_reason) {
            self.report(found, Rule::BreakGlass, 1, vec![leaf.id()]);
        }
    }

    fn report(&mut self, found: &mut Found<'_>, rule: Rule, count: u64, refs: Vec<EventId>) {
        let reported = &mut self.reported[rule.index()];
        if reported.is_some_and(|last| last + QUIET > found.now) {
            return;
        }
        let leaf = found.leaf;
        *reported = Some(found.now);
        found.findings.push(Finding {
            rule,
            time: leaf.time(),
            tenant: Id::of_leaf(leaf.tenant()),
            actor_type: leaf.actor_type(),
            actor_id: Id::of_leaf(leaf.actor_id()),
            count,
            refs,
        });
    }
}
