//! The log that is witnessed.

use std::sync::{Arc, Mutex};

use portcullis_audit_log::{
    anchor::Anchor,
    audit::{Audit, AuditBuilder, OpenError},
    checkpoint::{Checkpoint, Policy, SignedCheckpoint},
    event::{Action, Activity, Actor, ActorType, EventBuilder, Id},
    note::{KeyName, SigningKey, VerifyingKey},
    observer::{Event, Observer},
    store::Store,
};
use secrecy::SecretBox;

pub(crate) fn origin() -> KeyName {
    "portcullis.example/audit".parse().unwrap()
}

pub(crate) fn key() -> SigningKey {
    let seed = SecretBox::new(Box::new([0x60; 32]));
    SigningKey::from_seed(origin(), &seed).unwrap()
}

pub(crate) fn draft() -> EventBuilder {
    let actor = Actor::new(ActorType::ApiKey, Id::constant("key-1"));
    let action = Action::new("lead.read");
    EventBuilder::new(Id::constant("tenant-7"), action, Activity::Read, actor)
}

/// What anchors did.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Vec<String>>);

impl Observer for Seen {
    fn observe(&self, event: &Event<'_>) {
        let told = match event {
            Event::AnchorFailed { error, .. } => {
                let mut source: &dyn std::error::Error = error;
                while let Some(cause) = source.source() {
                    source = cause;
                }
                format!("failed: {source}")
            }
            Event::RolledBack { found } => format!("rolled back: {} {}", found.had, found.have),
            _ => return,
        };
        self.0.lock().unwrap().push(told);
    }
}

impl Seen {
    pub(crate) fn told(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

pub(crate) fn builder(store: &Arc<dyn Store>, anchors: Vec<Arc<dyn Anchor>>) -> AuditBuilder {
    let builder = Audit::builder(Arc::clone(store), origin(), Id::constant("node-a")).key(key());
    anchors.into_iter().fold(builder, AuditBuilder::anchor)
}

/// Opens the log, writes some notes, and closes it. Gives what was seen.
pub(crate) async fn write(
    store: &Arc<dyn Store>,
    anchors: Vec<Arc<dyn Anchor>>,
    notes: usize,
) -> Result<Vec<String>, OpenError> {
    let seen = Arc::new(Seen::default());
    let builder = builder(store, anchors).observer(seen.clone());
    let (audit, writing) = builder.open().await?;
    let writer = tokio::spawn(writing);
    for _ in 0..notes {
        audit.note(draft(), None);
    }
    audit.close();
    writer.await.unwrap();
    Ok(seen.told())
}

/// The published checkpoint, if it is signed as asked for.
pub(crate) async fn published(
    store: &Arc<dyn Store>,
    required: usize,
    witnesses: Vec<VerifyingKey>,
) -> Option<SignedCheckpoint> {
    let note = store.checkpoint().await.unwrap()?;
    let policy = policy(required, witnesses);
    policy.open(note.to_string().as_bytes()).ok()
}

pub(crate) fn policy(required: usize, witnesses: Vec<VerifyingKey>) -> Policy {
    let policy = Policy::new(vec![key().verifying_key().clone()]).unwrap();
    policy.with_witnesses(required, witnesses).unwrap()
}

pub(crate) fn size(signed: &SignedCheckpoint) -> u64 {
    Checkpoint::size(signed.checkpoint())
}
