//! Every interleaving of requests, loads and one change (a revocation, or one that only an invalidation
//! tells of), over the fence as it is and over fences that lack one of its parts.

mod tests;

use std::time::Duration;

use stateright::{Checker, Model, Property};

use super::{Epoch, Stripe, Ticket};
use crate::{kid::Kid, store::RecordVersion};

/// Each launches at most one load, which has its number.
const REQUESTS: usize = 3;
/// One beginning more than is needed for one revocation.
const ATTEMPTS: u8 = 3;

const GOOD: RecordVersion = RecordVersion::FIRST;
const REVOKED: RecordVersion = RecordVersion::new(2);

const NEVER_STALE: &str = "no request that began after the revocation was applied is let pass";
const PASSES: &str = "a request is let pass before the revocation";
const REFUSED: &str = "a request that began after the revocation was applied is refused";
const DISCARDED: &str = "a load is discarded";

/// What is checked: the fence, or what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fence {
    Whole,
    /// Invalidation removes what is cached, and nothing else; what was loaded is always kept.
    SingleFlightAndInvalidation,
    /// Loads are checked as they should be, but later requests still join an earlier one.
    JoinersKept,
    /// An invalidation does not remember the version.
    NoMinVersion,
    /// A load is checked against the epoch of its end.
    EpochReadLate,
    /// What is cached is removed and the load in flight cut off, but the generation stays.
    GenerationKept,
    /// Of a tenant's keys what is cached is removed first, and then the loads in flight are cut off.
    RemovedFirst,
}

/// How the process learns of the revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivery {
    Invalidation,
    /// The change was lost, and the gap is found.
    Gap,
    /// Nothing tells of the change but somebody who has the key read again.
    KeyForgotten,
    /// The same of all keys of a tenant: those in flight are cut off, then those cached are removed.
    TenantForgotten,
}

/// Where loads read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Primary,
    LaggingReplica,
}

#[derive(Clone, Copy, Debug)]
struct Interleavings {
    fence: Fence,
    delivery: Delivery,
    source: Source,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    stripe: Stripe<usize>,
    epoch: Epoch,
    cached: Option<(RecordVersion, Epoch)>,
    primary: RecordVersion,
    replica: RecordVersion,
    is_half_applied: bool,
    applied: bool,
    discarded: bool,
    requests: [Request; REQUESTS],
    loads: [Load; REQUESTS],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Request {
    Idle,
    Waiting {
        load: usize,
        began_after_applying: bool,
    },
    Answered {
        with: Option<RecordVersion>,
        began_after_applying: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Load {
    Idle,
    Launched {
        attempt: u8,
    },
    Begun {
        ticket: Ticket,
        attempt: u8,
    },
    HasRead {
        version: RecordVersion,
        ticket: Ticket,
        attempt: u8,
    },
    Done {
        with: Option<RecordVersion>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Arrive(usize),
    Begin(usize),
    Read(usize),
    Keep(usize),
    Finish(usize),
    Answer(usize),
    Revoke,
    Replicate,
    Apply,
    /// The second half, where there is one.
    ApplyRest,
    Evict,
}

impl Model for Interleavings {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            stripe: Stripe::default(),
            epoch: Epoch(0),
            cached: None,
            primary: GOOD,
            replica: GOOD,
            is_half_applied: false,
            applied: false,
            discarded: false,
            requests: [Request::Idle; REQUESTS],
            loads: [Load::Idle; REQUESTS],
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for at in 0..REQUESTS {
            actions.extend(match state.loads[at] {
                Load::Idle => None,
                Load::Launched { .. } => Some(Action::Begin(at)),
                Load::Begun { .. } => Some(Action::Read(at)),
                Load::HasRead { .. } => Some(Action::Keep(at)),
                Load::Done { .. } => Some(Action::Finish(at)),
            });
            actions.extend(match state.requests[at] {
                Request::Idle => Some(Action::Arrive(at)),
                Request::Waiting { .. } => Some(Action::Answer(at)),
                Request::Answered { .. } => None,
            });
        }
        actions.extend([
            Action::Revoke,
            Action::Replicate,
            Action::Apply,
            Action::ApplyRest,
            Action::Evict,
        ]);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Arrive(at) => state.arrive(at),
            Action::Begin(at) => state.begin(at)?,
            Action::Read(at) => state.read(at, self.source)?,
            Action::Keep(at) => state.keep(at, self.fence)?,
            Action::Finish(at) => state.stripe.finish(&kid(), |load| *load == at),
            Action::Answer(at) => state.answer(at)?,
            Action::Revoke => state.primary = REVOKED,
            Action::Replicate => state.replica = state.primary,
            Action::Apply
                if state.primary == REVOKED && !state.applied && !state.is_half_applied =>
            {
                self.apply(&mut state);
            }
            Action::ApplyRest if state.is_half_applied => self.apply_rest(&mut state),
            Action::Apply | Action::ApplyRest => return None,
            Action::Evict => state.cached = None,
        }
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NEVER_STALE, |_, state: &State| !state.answered(GOOD, true)),
            Property::sometimes(PASSES, |_, state: &State| state.answered(GOOD, false)),
            Property::sometimes(REFUSED, |_, state: &State| state.answered(REVOKED, true)),
            Property::sometimes(DISCARDED, |_, state: &State| state.discarded),
        ]
    }
}

impl Interleavings {
    fn apply(&self, state: &mut State) {
        let joinable = state.stripe.flight(&kid(), state.epoch).copied();
        state.is_half_applied = self.delivery == Delivery::TenantForgotten;
        state.applied = !state.is_half_applied;
        match (self.delivery, self.fence) {
            (Delivery::Gap, _) => state.epoch = Epoch(1),
            (Delivery::KeyForgotten, Fence::GenerationKept) => {
                state.cached = None;
                state.stripe.finish(&kid(), |_| true);
            }
            (Delivery::KeyForgotten, _) => {
                state.cached = None;
                state.stripe.cut_off(&kid());
            }
            (Delivery::TenantForgotten, Fence::GenerationKept) => {
                state.stripe.finish(&kid(), |_| true);
            }
            (Delivery::TenantForgotten, Fence::RemovedFirst) => state.cached = None,
            (Delivery::TenantForgotten, _) => {
                state.stripe.cut_off_all();
            }
            (Delivery::Invalidation, Fence::SingleFlightAndInvalidation) => state.cached = None,
            (Delivery::Invalidation, Fence::NoMinVersion) => {
                state.invalidate(RecordVersion::ABSENT)
            }
            (Delivery::Invalidation, _) => state.invalidate(REVOKED),
        }
        if let (Fence::JoinersKept, Some(load)) = (self.fence, joinable) {
            state.stripe.launch(kid(), state.epoch, load);
        }
    }

    fn apply_rest(&self, state: &mut State) {
        state.is_half_applied = false;
        state.applied = true;
        match self.fence {
            Fence::RemovedFirst => {
                state.stripe.cut_off_all();
            }
            _ => state.cached = None,
        }
    }
}

impl State {
    fn answered(&self, with: RecordVersion, began_after_applying: bool) -> bool {
        self.requests.contains(&Request::Answered {
            with: Some(with),
            began_after_applying,
        })
    }

    fn invalidate(&mut self, version: RecordVersion) {
        self.cached = None;
        self.stripe
            .invalidate(kid(), version, Duration::ZERO, Duration::from_secs(1));
    }

    fn arrive(&mut self, at: usize) {
        let began_after_applying = self.applied;
        if let Some((version, _)) = self.cached.filter(|(_, epoch)| *epoch == self.epoch) {
            self.requests[at] = Request::Answered {
                with: Some(version),
                began_after_applying,
            };
            return;
        }
        let joined = self.stripe.flight(&kid(), self.epoch).copied();
        let load = joined.unwrap_or_else(|| {
            self.stripe.launch(kid(), self.epoch, at);
            self.loads[at] = Load::Launched { attempt: 1 };
            at
        });
        self.requests[at] = Request::Waiting {
            load,
            began_after_applying,
        };
    }

    fn begin(&mut self, at: usize) -> Option<()> {
        let Load::Launched { attempt } = self.loads[at] else {
            return None;
        };
        self.loads[at] = Load::Begun {
            ticket: self.stripe.begin(self.epoch),
            attempt,
        };
        Some(())
    }

    fn read(&mut self, at: usize, source: Source) -> Option<()> {
        let Load::Begun { ticket, attempt } = self.loads[at] else {
            return None;
        };
        let version = match source {
            Source::Primary => self.primary,
            Source::LaggingReplica => self.replica,
        };
        self.loads[at] = Load::HasRead {
            version,
            ticket,
            attempt,
        };
        Some(())
    }

    fn keep(&mut self, at: usize, fence: Fence) -> Option<()> {
        let Load::HasRead {
            version,
            mut ticket,
            attempt,
        } = self.loads[at]
        else {
            return None;
        };
        match fence {
            Fence::SingleFlightAndInvalidation => ticket = self.stripe.begin(self.epoch),
            Fence::EpochReadLate => ticket.epoch = self.epoch,
            _ => {}
        }
        self.loads[at] = if self
            .stripe
            .admit(&kid(), version, ticket, self.epoch, Duration::ZERO)
            .is_ok()
        {
            self.cached = Some((version, ticket.epoch));
            Load::Done {
                with: Some(version),
            }
        } else {
            self.discarded = true;
            if attempt < ATTEMPTS {
                Load::Launched {
                    attempt: attempt + 1,
                }
            } else {
                Load::Done { with: None }
            }
        };
        Some(())
    }

    fn answer(&mut self, at: usize) -> Option<()> {
        let Request::Waiting {
            load,
            began_after_applying,
        } = self.requests[at]
        else {
            return None;
        };
        let Load::Done { with } = self.loads[load] else {
            return None;
        };
        self.requests[at] = Request::Answered {
            with,
            began_after_applying,
        };
        Some(())
    }
}

fn kid() -> Kid {
    "0000000000000000000000".parse().unwrap()
}

fn explore(fence: Fence, delivery: Delivery, source: Source) -> impl Checker<Interleavings> {
    Interleavings {
        fence,
        delivery,
        source,
    }
    .checker()
    .threads(2)
    .spawn_bfs()
    .join()
}
