//! Events as they are shown.

use portcullis_audit_log::event::{Leaf, Personal};
use serde::Serialize;
use serde_json::Value;

use super::AuditError;
use crate::{audit::KeptLeaf, json};

/// An event without what lies beside it. What it has not is left out.
#[derive(Debug, Serialize)]
pub(crate) struct DescribedEvent {
    n: u64,
    tn: u64,
    id: String,
    time: String,
    tenant: String,
    action: String,
    activity: &'static str,
    actor: DescribedActor,
    resources: Vec<Named>,
    count: u64,
    fields: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<DescribedReason>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    delivery: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refs: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    node: String,
}

/// One event, as it is in the tree and with what lies beside it.
#[derive(Debug, Serialize)]
pub(crate) struct OneEvent {
    event: DescribedEvent,
    /// Its exact bytes, which a proof is about.
    leaf: String,
    /// Where it was asked from, and what was typed; null where there was nothing, or it is erased.
    personal: Option<Value>,
}

#[derive(Debug, Serialize)]
struct DescribedActor {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<String>,
}

#[derive(Debug, Serialize)]
struct Named {
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

#[derive(Debug, Serialize)]
struct DescribedReason {
    code: String,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
}

impl DescribedEvent {
    pub(crate) fn new(leaf: &Leaf<'_>) -> Self {
        Self {
            n: leaf.numbers().in_tree,
            tn: leaf.numbers().in_tenant,
            id: leaf.id().to_string(),
            time: leaf.time().to_string(),
            tenant: leaf.tenant().to_owned(),
            action: leaf.action().to_owned(),
            activity: leaf.activity().as_str(),
            actor: DescribedActor {
                kind: leaf.actor_type().as_str(),
                id: leaf.actor_id().to_owned(),
                grant: leaf.grant().map(str::to_owned),
            },
            resources: leaf
                .resources()
                .map(|(kind, id)| Named {
                    kind: kind.to_owned(),
                    id: id.to_owned(),
                })
                .collect(),
            count: leaf.count(),
            fields: leaf.fields().map(str::to_owned).collect(),
            reason: leaf.reason_code().map(|code| DescribedReason {
                code: code.to_owned(),
                reference: leaf.reason_reference().map(str::to_owned),
            }),
            outcome: leaf.outcome().as_str(),
            detail: leaf.detail().map(str::to_owned),
            delivery: leaf.delivery().as_str(),
            refs: leaf.refs().map(|id| id.to_string()).collect(),
            trace: leaf.trace().map(|trace| trace.to_string()),
            node: leaf.node().to_owned(),
        }
    }
}

impl OneEvent {
    pub(crate) fn new(kept: &KeptLeaf, personal: Option<Personal>) -> Result<Self, AuditError> {
        let leaf = Leaf::parse(&kept.bytes).map_err(|_| AuditError::Damaged)?;
        let personal = personal.and_then(|personal| json::read(personal.json().as_bytes()).ok());
        Ok(Self {
            event: DescribedEvent::new(&leaf),
            leaf: String::from_utf8_lossy(&kept.bytes).into_owned(),
            personal,
        })
    }
}
