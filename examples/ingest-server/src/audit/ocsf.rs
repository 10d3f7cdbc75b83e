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

    use super::*;

    fn exported(action: Action) -> String {
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
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn who_tries_keys_authenticates_in_every_export() {
        let (tried, other) = (Action::new("auth.attempt"), Action::new("audit.verify"));
        for (action, class) in [(tried, "\"class_uid\":3002"), (other, "\"class_uid\":6003")] {
            let line = exported(action);
            assert!(line.contains(class), "{line}");
        }
    }
}
