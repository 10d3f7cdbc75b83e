//! Which conflicts a sender is told of. That an event came before with other content says that what
//! is stored is not what was sent: where that is personal data, the answer tests a guess as a search
//! does, and has the same limit.

use super::{
    authenticate::Caller,
    batch::Origin,
    limits::{self, Charge},
    services::Services,
};
use crate::audit::{AuditDraft, actions::EVENT_CONFLICT};

/// An event that came before with other content.
#[derive(Debug)]
pub(super) struct Conflict {
    pub(super) origin: Origin,
    /// Whether it has personal data, or what is stored of it has: a policy or a schema may have changed
    /// since, and a guess need not look like what it guesses.
    pub(super) is_personal: bool,
}

/// The conflicts that may be told: of those with personal data as many as the key's searches have
/// room for, once that is on record. The others look like any duplicate.
pub(super) async fn told(
    services: &Services,
    caller: &Caller,
    conflicts: Vec<Conflict>,
) -> Vec<Origin> {
    let personal = conflicts.iter().filter(|conflict| conflict.is_personal);
    let mut room = limits::charge_each(services, caller, Charge::CONFLICT, personal.count()).await;
    if room > 0 && services.audit.record(draft(caller, room)).await.is_err() {
        room = 0;
    }
    let mut left = room;
    let may_be_told = |conflict: &Conflict| {
        if !conflict.is_personal {
            return true;
        }
        let has_room = left > 0;
        left = left.saturating_sub(1);
        has_room
    };
    let told = conflicts.into_iter().filter(may_be_told);
    told.map(|conflict| conflict.origin).collect()
}

/// The ids of events are their senders': they are not repeated here.
fn draft(caller: &Caller, count: u64) -> AuditDraft {
    AuditDraft {
        count,
        ..caller.draft(EVENT_CONFLICT)
    }
}
