//! Events, keys, and an observer that remembers.

use std::sync::{Mutex, PoisonError};

use secrecy::SecretBox;

use crate::{
    event::{Action, Activity, Actor, ActorType, EventBuilder, Id},
    note::{KeyName, SigningKey},
    observer::{DropReason, Event, Observer},
};

pub(super) const READ: Action = Action::new("lead.read");
pub(super) const LOGIN: Action = Action::new("session.begin");

pub(super) fn draft(action: Action) -> EventBuilder {
    let actor = Actor::new(ActorType::ApiKey, Id::constant("key-1"));
    EventBuilder::new(Id::constant("tenant-7"), action, Activity::Read, actor)
}

pub(super) fn origin() -> KeyName {
    "portcullis.example/audit".parse().expect("it is a name")
}

pub(super) fn key() -> SigningKey {
    key_of(0x60)
}

pub(super) fn key_of(byte: u8) -> SigningKey {
    let seed = SecretBox::new(Box::new([byte; 32]));
    SigningKey::from_seed(origin(), &seed).expect("any 32 bytes are a seed")
}

/// What an observer was told.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<Told>);

#[derive(Debug, Default, Clone)]
struct Told {
    dropped: Vec<(Action, DropReason)>,
    groups: usize,
    published: usize,
    parts_lost: u64,
    failed: usize,
    unrecorded: usize,
    rolled_back: usize,
    anchors_failed: usize,
    anchored: Vec<u64>,
    left_unwritten: usize,
    clock_ahead: usize,
    cursors_beyond: Vec<String>,
}

impl Known {
    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn dropped(&self) -> Vec<(Action, DropReason)> {
        self.told().dropped.clone()
    }

    pub(super) fn groups(&self) -> usize {
        self.told().groups
    }

    pub(super) fn published(&self) -> usize {
        self.told().published
    }

    pub(super) fn parts_lost(&self) -> u64 {
        self.told().parts_lost
    }

    pub(super) fn failed(&self) -> usize {
        self.told().failed
    }

    /// How many were told that it is not on record.
    pub(super) fn unrecorded(&self) -> usize {
        self.told().unrecorded
    }

    pub(super) fn rolled_back(&self) -> usize {
        self.told().rolled_back
    }

    /// The sizes that anchors keep, as they were told.
    pub(super) fn anchored(&self) -> Vec<u64> {
        self.told().anchored.clone()
    }

    pub(super) fn left_unwritten(&self) -> usize {
        self.told().left_unwritten
    }

    pub(super) fn clock_ahead(&self) -> usize {
        self.told().clock_ahead
    }

    pub(super) fn cursors_beyond(&self) -> Vec<String> {
        self.told().cursors_beyond.clone()
    }

    pub(super) fn anchors_failed(&self) -> usize {
        self.told().anchors_failed
    }
}

impl Observer for Known {
    fn observe(&self, event: &Event<'_>) {
        let mut told = self.told();
        match event {
            Event::Dropped { action, why } => told.dropped.push((*action, *why)),
            Event::Committed { .. } => told.groups += 1,
            Event::Published { .. } => told.published += 1,
            Event::PartsLost { parts } => told.parts_lost += parts,
            Event::StoreFailed { .. } => told.failed += 1,
            Event::Answered { recorded, .. } => told.unrecorded += usize::from(!recorded),
            Event::RolledBack { .. } => told.rolled_back += 1,
            Event::Anchored { size, .. } => told.anchored.push(*size),
            Event::LeftUnwritten { events } => told.left_unwritten += events,
            Event::ClockAhead { .. } => told.clock_ahead += 1,
            Event::CursorBeyond { cursor, .. } => told.cursors_beyond.push(cursor.to_string()),
            Event::AnchorFailed { .. } => told.anchors_failed += 1,
            _ => {}
        }
    }
}
