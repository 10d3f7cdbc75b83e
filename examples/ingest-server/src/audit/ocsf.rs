//! How entries are exported: one mapping, for sinks and for commands.

use portcullis_audit_log::export::{ClassMap, Ocsf, OcsfClass, Product};

/// OCSF of this service: what tries keys is authentication, everything else is what its activity says.
pub(crate) fn ocsf() -> Ocsf {
    let product = Product::new(
        "Portcullis",
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_VERSION"),
    );
    Ocsf::new(product.expect("these are names without control characters"))
        .classes(ClassMap::new().with("auth", OcsfClass::Authentication))
}

#[cfg(test)]
mod tests {
    use portcullis_audit_log::{
        event::{
            Action, Activity, Actor, ActorType, Delivery, EventBuilder, EventId, Id, Leaf, Stamp,
            Timestamp,
        },
        store::{Group, LogState},
    };
    use serde_json::Value;

    use super::*;

    fn class_of(action: Action) -> Value {
        let anonymous = Actor::new(ActorType::Anonymous, Id::constant("anonymous"));
        let event = EventBuilder::new(Id::SYSTEM_TENANT, action, Activity::Other, anonymous);
        let time = Timestamp::from_unix_micros(1).unwrap();
        let node = Id::constant("server");
        let stamp = Stamp::new(EventId::new(time, [1; 10]), time, Delivery::Best, node);
        let mut group = Group::new(LogState::default());
        group.push(&event.build(stamp).unwrap(), None).unwrap();
        let entry = group.entries().next().unwrap();
        let mut line = Vec::new();
        ocsf().write_line(&Leaf::parse(entry.leaf).unwrap(), &mut line);
        serde_json::from_slice::<Value>(&line).unwrap()["class_uid"].clone()
    }

    #[test]
    fn who_tries_keys_authenticates_in_every_export() {
        assert_eq!(class_of(Action::new("auth.attempt")), 3002);
        assert_eq!(class_of(Action::new("audit.verify")), 6003);
    }
}
