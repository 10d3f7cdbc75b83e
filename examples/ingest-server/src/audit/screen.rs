//! What may be an identifier in the log.

use portcullis_audit_log::event::{Id, Screen};
use portcullis_pii_detect::Detector;

/// Stands for a tenant whose name could be personal data: a version before names were checked may have taken it. No
/// tenant can have the name, since those with `_` before them are reserved.
pub(crate) const UNNAMED: Id = Id::constant("_unnamed");

/// Stands for an id that is none.
const MALFORMED: Id = Id::constant("_malformed");

/// Refuses what the detector of personal data finds something in.
#[derive(Debug)]
pub(crate) struct PersonalDataScreen(Detector);

/// For ids that this service made: random ones may look like anything.
#[derive(Debug)]
struct Issued;

impl PersonalDataScreen {
    pub(crate) fn standard() -> Self {
        Self(Detector::standard())
    }
}

impl Screen for PersonalDataScreen {
    fn is_personal(&self, text: &str) -> bool {
        self.0.first_kind(text).is_some()
    }
}

impl Screen for Issued {
    fn is_personal(&self, _: &str) -> bool {
        false
    }
}

/// A tenant by its name, or [`UNNAMED`].
pub(super) fn tenant(name: &str) -> Id {
    tenant_by(name, &PersonalDataScreen::standard())
}

fn tenant_by(name: &str, screen: &dyn Screen) -> Id {
    Id::parse(name, screen).unwrap_or(UNNAMED)
}

/// An id as the entries have it, of something that this service made; none of another form.
pub(crate) fn issued_id(text: &str) -> Option<Id> {
    Id::parse(text, &Issued).ok()
}

/// An id that this service gave out, or whose form it has checked. A long number has `no.` before it.
pub(crate) fn issued(id: &str) -> Id {
    Id::parse(id, &Issued)
        .or_else(|_| Id::parse(&format!("no.{id}"), &Issued))
        .unwrap_or(MALFORMED)
}

#[cfg(test)]
mod tests {
    use portcullis_audit_log::{
        event::{
            Action, Activity, Actor, ActorType, Code, Delivery, EventBuilder, EventId, Reason,
            Resource, ResourceType, Stamp, Timestamp,
        },
        store::{Group, LogState},
    };

    use super::*;
    use crate::audit::stated_reason::reference_by;

    /// Personal data in forms that an id could have.
    const CANARIES: [&str; 4] = [
        "4111-1111-1111-1111",
        "4012-8888-8888-1881",
        "GB82WEST12345698765432",
        "DE89370400440532013000",
    ];

    /// The bytes of an entry into which a canary was put wherever text comes in that the screen judges.
    fn entry(canary: &str, screen: &dyn Screen) -> Vec<u8> {
        let actor = Actor::new(ActorType::Anonymous, Id::constant("anonymous"));
        let tenant = tenant_by(canary, screen);
        let reference = reference_by(canary, screen);
        let named = Id::parse(canary, screen).ok();
        let lead = ResourceType::new("lead");
        let event = EventBuilder::new(tenant, Action::new("lead.read"), Activity::Read, actor)
            .reason(Reason::new(Code::new("support"), reference))
            .resources(named.map(|id| Resource::new(lead, id)));
        let time = Timestamp::from_unix_micros(1).unwrap();
        let id = EventId::new(time, [1; 10]);
        let stamp = Stamp::new(id, time, Delivery::Must, Id::constant("server"));
        let mut group = Group::new(LogState::default());
        group.push(&event.build(stamp).unwrap(), None).unwrap();
        group.entries().next().unwrap().leaf.to_vec()
    }

    /// In how many places of the entry it is.
    fn places(canary: &str, screen: &dyn Screen) -> usize {
        let entry = String::from_utf8(entry(canary, screen)).unwrap();
        entry.matches(canary).count()
    }

    #[test]
    fn a_canary_that_could_be_an_id_is_in_no_entry_and_in_every_one_without_the_screen() {
        let screen = PersonalDataScreen::standard();
        for canary in CANARIES {
            assert_eq!(places(canary, &screen), 0, "{canary}");
            // The control: one that lets everything pass.
            assert_eq!(places(canary, &Issued), 3, "{canary}");
        }
    }

    #[test]
    fn a_name_that_says_who_somebody_is_does_not_come_in() {
        for (name, shown) in [
            ("acme", "acme"),
            ("eu-west/acme", "eu-west/acme"),
            ("ada@example.com", "_unnamed"),
            ("4111111111111111", "_unnamed"),
            ("123456789", "_unnamed"),
            ("acme corp", "_unnamed"),
            ("", "_unnamed"),
        ] {
            assert_eq!(tenant(name).as_str(), shown, "{name}");
        }
    }

    #[test]
    fn what_the_service_made_is_an_id_whatever_it_looks_like() {
        for (id, shown) in [
            (
                "01a21473-4fe0-7d94-bf7c-5d47228ca4aa",
                "01a21473-4fe0-7d94-bf7c-5d47228ca4aa",
            ),
            ("command-line:1000", "command-line:1000"),
            ("7", "7"),
            ("4294967295", "no.4294967295"),
            ("a b", "_malformed"),
        ] {
            assert_eq!(issued(id).as_str(), shown, "{id}");
        }
    }
}
