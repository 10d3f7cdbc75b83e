//! Changes that this process has made.

use super::Shared;
use crate::{
    feed::{Change, ChangeKind},
    observer::{ChangeName, Event, Origin},
};

/// Whether others were told of a change at once. If not they learn of it from the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Published {
    /// The bus has told it.
    Yes,
    /// The bus did not answer in time; who reads it in the feed tells it again.
    No,
    /// The cache has no bus.
    NoBus,
}

impl Shared {
    /// A change that was not known here was applied.
    pub(super) fn emit_applied(&self, origin: Origin, kind: &ChangeKind) {
        let kind = ChangeName::of(kind);
        self.emit(&Event::Applied { origin, kind });
    }

    /// These changes were committed by this process: they are in effect here once this returns. Others are
    /// told of them, if that takes no longer than a quarter of a second.
    pub(super) async fn announce(&self, changes: &[Change]) -> Published {
        for change in changes {
            self.apply(&change.kind);
            self.emit_applied(Origin::Own, &change.kind);
        }
        for change in changes {
            self.following.made(change);
        }
        let published = match &self.bus {
            None => Published::NoBus,
            Some(bus) if self.tell_changes(bus.as_ref(), changes).await => Published::Yes,
            Some(_) => Published::No,
        };
        // The follower tells what could not be told, and what others made before.
        self.following.read_soon();
        published
    }
}
