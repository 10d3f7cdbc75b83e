//! The members that each class has of its own.

use serde_json::{Value, json};

use super::{OcsfClass, Product, status, user};
use crate::event::Leaf;

pub(super) fn members(
    class: OcsfClass,
    product: &Product,
    leaf: &Leaf<'_>,
    put: &mut impl FnMut(&str, Value),
) {
    if class == OcsfClass::DetectionFinding {
        return finding(product, leaf, put);
    }
    put("status_id", status(leaf.outcome()).into());
    put("actor", actor(leaf));
    match class {
        OcsfClass::ApiActivity => {
            put(
                "api",
                json!({ "operation": leaf.action(), "service": { "name": product.name() } }),
            );
            put("src_endpoint", json!({ "name": "withheld" }));
            put("dst_endpoint", json!({ "uid": leaf.node() }));
            put("resources", resources(leaf));
            if let Some(trace) = leaf.trace() {
                put("trace", json!({ "uid": trace.to_string() }));
            }
        }
        OcsfClass::Authentication => {
            put("user", subject(leaf));
            put(
                "service",
                json!({ "name": product.name(), "uid": leaf.node() }),
            );
        }
        OcsfClass::UserAccess => {
            put("user", subject(leaf));
            put("privileges", privileges(leaf));
            put("resources", resources(leaf));
        }
        OcsfClass::EntityManagement => put("entity", entity(leaf)),
        OcsfClass::DetectionFinding => {}
    }
}

pub(super) fn resources(leaf: &Leaf<'_>) -> Value {
    // 1 is the target.
    leaf.resources()
        .map(|(kind, id)| json!({ "type": kind, "uid": id, "role_id": 1 }))
        .collect()
}

fn actor(leaf: &Leaf<'_>) -> Value {
    let mut actor = json!({ "user": user(leaf) });
    if let Some(grant) = leaf.grant() {
        actor["authorizations"] = json!([{ "policy": { "uid": grant, "type": "elevation" } }]);
    }
    actor
}

/// Whose sign-in or rights it is about: the person or key among the resources, or else the actor.
fn subject(leaf: &Leaf<'_>) -> Value {
    let kinds = [("person", 1, "User"), ("api_key", 4, "Service")];
    leaf.resources()
        .find_map(|(kind, id)| {
            let (_, type_id, name) = kinds.iter().find(|(known, ..)| *known == kind)?;
            Some(json!({ "uid": id, "type_id": type_id, "type": name }))
        })
        .unwrap_or_else(|| user(leaf))
}

/// By the fields that were changed, or else by the whole of the action.
fn privileges(leaf: &Leaf<'_>) -> Value {
    let fields: Vec<_> = leaf.fields().collect();
    if fields.is_empty() {
        json!([leaf.action()])
    } else {
        fields.into()
    }
}

/// The first resource. Without one, all that the action is about.
fn entity(leaf: &Leaf<'_>) -> Value {
    match leaf.resources().next() {
        Some((kind @ "person", id)) => json!({ "uid": id, "type_id": 2, "type": kind }),
        Some((kind, id)) => json!({ "uid": id, "type_id": 99, "type": kind }),
        None => {
            let kind = leaf.action().split('.').next();
            json!({ "name": kind, "type_id": 99, "type": kind })
        }
    }
}

fn finding(product: &Product, leaf: &Leaf<'_>, put: &mut impl FnMut(&str, Value)) {
    let rule = leaf.reason_code().unwrap_or_else(|| leaf.action());
    let related: Value = leaf
        .refs()
        .map(|id| json!({ "uid": id.to_string() }))
        .collect();
    let time = leaf.time().unix_micros() / 1_000;
    put(
        "finding_info",
        json!({
            "uid": leaf.id().to_string(),
            "title": rule,
            "types": [rule],
            "created_time": time,
            // A rule.
            "analytic": { "uid": rule, "name": rule, "type_id": 1 },
            "product": { "vendor_name": product.vendor(), "name": product.name() },
            "related_events": related,
        }),
    );
    // New. What becomes of it is an event of its own.
    put("status_id", 1.into());
    put("is_alert", true.into());
    put("evidences", json!([{ "actor": actor(leaf) }]));
    put("resources", resources(leaf));
}
