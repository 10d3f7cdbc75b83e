//! Refusals of one kind stand together: the first at once, those that follow within ten seconds in
//! one event that counts them.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use portcullis_audit_log::event::{Action, Code};

use super::{AuditActor, AuditDraft};

/// How long refusals are gathered.
const WINDOW: Duration = Duration::from_secs(10);

/// Kinds of refusals that are told apart at once. Those beyond stand together by what was refused, without saying
/// who was: a flood from everywhere does not fill the log.
const MAX_KINDS: usize = 1_024;

/// Who was refused what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    actor: AuditActor,
    /// Of somebody who is known by nothing else.
    network: Option<IpAddr>,
    action: Action,
    detail: Option<Code>,
}

/// Refusals that wait for the end of their window.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    windows: HashMap<Kind, Window>,
}

#[derive(Debug)]
struct Window {
    ends: Duration,
    gathered: Option<AuditDraft>,
}

impl Kind {
    fn of(draft: &AuditDraft) -> Self {
        let is_anonymous = draft.actor == AuditActor::Anonymous;
        Self {
            actor: draft.actor.clone(),
            network: draft
                .peer
                .as_ref()
                .filter(|_| is_anonymous)
                .map(|peer| network(peer.address)),
            action: draft.action.action,
            detail: draft.detail,
        }
    }
}

impl Refusals {
    /// The refusal, if it is to be written now.
    pub(super) fn add(&mut self, mut draft: AuditDraft, now: Duration) -> Option<AuditDraft> {
        let mut kind = Kind::of(&draft);
        if !self.windows.contains_key(&kind) && self.windows.len() >= MAX_KINDS {
            draft.actor = AuditActor::Anonymous;
            draft.tenant = None;
            draft.peer = None;
            forget_which(&mut draft);
            kind = Kind::of(&draft);
        }
        if let Some(window) = self.windows.get_mut(&kind) {
            match &mut window.gathered {
                Some(gathered) => {
                    gathered.count = gathered.count.saturating_add(draft.count);
                    forget_agent(gathered, &draft);
                    // It stands for several by now.
                    forget_which(gathered);
                }
                None => window.gathered = Some(draft),
            }
            return None;
        }
        let ends = now.saturating_add(WINDOW);
        let gathered = None;
        self.windows.insert(kind, Window { ends, gathered });
        Some(draft)
    }

    /// Those whose window has ended; a kind without any in its window is forgotten.
    pub(super) fn due(&mut self, now: Duration) -> Vec<AuditDraft> {
        let mut due = Vec::new();
        self.windows.retain(|_, window| {
            if window.ends > now {
                return true;
            }
            window.ends = now.saturating_add(WINDOW);
            let gathered = window.gathered.take();
            let is_lasting = gathered.is_some();
            due.extend(gathered);
            is_lasting
        });
        due
    }

    /// All that wait.
    pub(super) fn drain(&mut self) -> Vec<AuditDraft> {
        let windows = self.windows.drain();
        windows.filter_map(|(_, window)| window.gathered).collect()
    }
}

/// What several say that they are, is of none of them.
fn forget_agent(gathered: &mut AuditDraft, other: &AuditDraft) {
    let other = other
        .peer
        .as_ref()
        .and_then(|peer| peer.user_agent.as_ref());
    if let Some(peer) = &mut gathered.peer
        && peer.user_agent.as_ref() != other
    {
        peer.user_agent = None;
    }
}

fn forget_which(draft: &mut AuditDraft) {
    draft.resources.clear();
    draft.trace = None;
}

/// An address of version 6 stands for its network: one host has as many as it likes.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let network = address.to_bits() & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Peer, UserAgent, actions};

    const SCOPE: Code = Code::new("auth.scope");

    fn refusal(kid: &str) -> AuditDraft {
        let actor = AuditActor::ApiKey(kid.to_owned());
        AuditDraft::new(Some("acme"), actions::LEAD_READ, actor).denied(SCOPE)
    }

    fn attempt(address: &str) -> AuditDraft {
        let attempt = AuditDraft::new(None, actions::AUTHENTICATE, AuditActor::Anonymous);
        AuditDraft {
            peer: Some(Peer::new(address.parse().unwrap())),
            ..attempt.denied(SCOPE)
        }
    }

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_first_refusal_is_told_at_once_and_those_of_ten_seconds_together() {
        let mut refusals = Refusals::default();
        assert_eq!(refusals.add(refusal("a"), at(0)), Some(refusal("a")));
        for _ in 0..5 {
            assert_eq!(refusals.add(refusal("a"), at(1)), None);
        }
        assert_eq!(refusals.add(refusal("b"), at(1)), Some(refusal("b")));
        assert_eq!(refusals.due(at(9)), []);
        let five = AuditDraft {
            count: 5,
            ..refusal("a")
        };
        assert_eq!(refusals.due(at(10)), [five]);
        assert_eq!(refusals.due(at(20)), []);
        assert_eq!(refusals.add(refusal("a"), at(21)), Some(refusal("a")));
    }

    #[test]
    fn who_is_unknown_is_told_apart_by_the_network() {
        let mut refusals = Refusals::default();
        assert!(refusals.add(attempt("192.0.2.1"), at(0)).is_some());
        assert!(refusals.add(attempt("192.0.2.2"), at(0)).is_some());
        assert!(refusals.add(attempt("2001:db8::1"), at(0)).is_some());
        assert!(refusals.add(attempt("2001:db8::2"), at(0)).is_none());
        assert!(refusals.add(attempt("192.0.2.1"), at(0)).is_none());
        assert_eq!(refusals.drain().len(), 2);
    }

    #[test]
    fn those_that_stand_together_have_an_agent_if_all_of_them_have_the_same() {
        let by = |agent: &'static str| {
            let mut attempt = attempt("192.0.2.1");
            let value = http::HeaderValue::from_static(agent);
            attempt.peer.as_mut().unwrap().user_agent = UserAgent::read(&value);
            attempt
        };
        for (agents, told) in [(["a", "a"], Some("a")), (["a", "b"], None)] {
            let mut refusals = Refusals::default();
            assert!(refusals.add(by("first"), at(0)).is_some());
            for agent in agents {
                assert_eq!(refusals.add(by(agent), at(1)), None);
            }
            let gathered = refusals.drain().pop().unwrap();
            let agent = gathered.peer.unwrap().user_agent;
            assert_eq!(agent.as_ref().map(UserAgent::as_str), told);
        }
    }

    #[test]
    fn none_is_lost_and_a_flood_from_everywhere_is_a_few_events() {
        let mut refusals = Refusals::default();
        let written = (0..5_000).filter_map(|n| refusals.add(refusal(&n.to_string()), at(0)));
        assert_eq!(written.count(), MAX_KINDS + 1);
        assert_eq!(refusals.add(refusal("7"), at(0)), None);
        let left = refusals.drain();
        let total: u64 = left.iter().map(|draft| draft.count).sum();
        assert_eq!((left.len(), total), (2, 5_001 - 1_025));
        assert!(refusals.drain().is_empty());
    }
}
