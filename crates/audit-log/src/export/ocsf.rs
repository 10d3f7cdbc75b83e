//! Leaves as events of the Open Cybersecurity Schema Framework.

mod by_class;
mod class;

use serde_json::{Map, Value, json};

use super::Product;
use crate::event::{ActorType, Leaf, Outcome};

pub use self::class::{ClassMap, OcsfClass};

/// The version of the schema.
pub const OCSF_VERSION: &str = "1.8.0";

/// Makes OCSF events. Each validates against its class in version 1.8.0, whatever the leaf.
///
/// What the schema has no member for is in `unmapped`, by the names of the leaf: its number, the fields, the reason,
/// `count` (which in OCSF is that of events). The address of the caller is no part of a leaf: `src_endpoint`, which API
/// Activity demands, says `withheld`.
#[derive(Debug, Clone)]
pub struct Ocsf {
    product: Product,
    classes: ClassMap,
}

impl Ocsf {
    /// Of this product, with the classes of [`ClassMap::new`].
    #[must_use]
    pub fn new(product: Product) -> Self {
        Self {
            product,
            classes: ClassMap::new(),
        }
    }

    /// With these classes.
    #[must_use]
    pub fn classes(self, classes: ClassMap) -> Self {
        Self { classes, ..self }
    }

    /// Who wrote the log.
    #[must_use]
    pub const fn product(&self) -> &Product {
        &self.product
    }

    /// The event, a JSON object.
    #[must_use]
    pub fn event(&self, leaf: &Leaf<'_>) -> Value {
        let class = self.classes.class_of(leaf.action());
        let activity = class.activity(leaf);
        let mut event = Map::new();
        let mut put = |name: &str, value: Value| drop(event.insert(name.to_owned(), value));
        put("class_uid", class.uid().into());
        put("category_uid", class.category().into());
        put("activity_id", activity.into());
        put(
            "type_uid",
            (u64::from(class.uid()) * 100 + u64::from(activity)).into(),
        );
        if activity == class::OTHER {
            put("activity_name", leaf.action().into());
        }
        put("time", (leaf.time().unix_micros() / 1_000).into());
        put(
            "message",
            format!("{} {}", leaf.action(), leaf.outcome()).into(),
        );
        put("severity_id", class.severity(leaf).into());
        put("status_code", leaf.outcome().as_str().into());
        if let Some(detail) = leaf.detail() {
            put("status_detail", detail.into());
        }
        put("metadata", self.metadata(class, leaf));
        put("unmapped", unmapped(class, leaf));
        by_class::members(class, &self.product, leaf, &mut put);
        Value::Object(event)
    }

    /// Appends the event as one line of JSON, with its newline: a file of events is these lines.
    pub fn write_line(&self, leaf: &Leaf<'_>, out: &mut Vec<u8>) {
        // Writing a value to memory cannot fail: it has no keys but texts, and numbers are whole.
        out.extend_from_slice(self.event(leaf).to_string().as_bytes());
        out.push(b'\n');
    }

    fn metadata(&self, class: OcsfClass, leaf: &Leaf<'_>) -> Value {
        let mut metadata = json!({
            "version": OCSF_VERSION,
            "product": {
                "vendor_name": self.product.vendor(),
                "name": self.product.name(),
                "version": self.product.version(),
            },
            // The OCSF event is made from one leaf, each time the same: one id is right for both.
            "uid": leaf.id().to_string(),
            "original_event_uid": leaf.id().to_string(),
            "event_code": leaf.action(),
            "log_name": "audit",
            "log_version": "1",
            "sequence": leaf.numbers().in_tree,
            "tenant_uid": leaf.tenant(),
        });
        if class == OcsfClass::ApiActivity && leaf.trace().is_some() {
            metadata["profiles"] = json!(["trace"]);
        }
        metadata
    }
}

/// What the class has no member for, by its name in the leaf.
fn unmapped(class: OcsfClass, leaf: &Leaf<'_>) -> Value {
    let mut unmapped = json!({
        "tn": leaf.numbers().in_tenant,
        "activity": leaf.activity().as_str(),
        "count": leaf.count(),
        "delivery": leaf.delivery().as_str(),
        "fields": leaf.fields().collect::<Vec<_>>(),
        "node": leaf.node(),
    });
    if let Some(code) = leaf.reason_code() {
        unmapped["reason"] = json!({ "code": code });
        if let Some(reference) = leaf.reason_reference() {
            unmapped["reason"]["ref"] = reference.into();
        }
    }
    let refs: Vec<_> = leaf.refs().map(|id| id.to_string()).collect();
    if !refs.is_empty() {
        unmapped["refs"] = refs.into();
    }
    if let Some(commitment) = leaf.personal() {
        unmapped["personal"] = commitment.to_string().into();
    }
    // Only API Activity knows the profile `trace`, and its `span` demands start and end.
    if let Some(trace) = leaf.trace().filter(|_| class != OcsfClass::ApiActivity) {
        unmapped["trace"] = trace.to_string().into();
    }
    if let Some(span) = leaf.span() {
        unmapped["span"] = span.to_string().into();
    }
    if class == OcsfClass::EntityManagement {
        unmapped["resources"] = by_class::resources(leaf);
    }
    unmapped
}

/// `status_id` of every class but findings.
const fn status(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Unknown => 0,
        Outcome::Success => 1,
        Outcome::Denied | Outcome::Failure => 2,
    }
}

fn user(leaf: &Leaf<'_>) -> Value {
    let (id, name) = match leaf.actor_type() {
        ActorType::Anonymous => (0, "Unknown"),
        ActorType::Person => (1, "User"),
        ActorType::System => (3, "System"),
        ActorType::ApiKey => (4, "Service"),
    };
    json!({ "uid": leaf.actor_id(), "type_id": id, "type": name })
}
