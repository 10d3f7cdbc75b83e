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

/// The same, and more digits than the number of a ticket has, whatever stands between them: of a card, an account or a
/// document. Ids of the forms that are given out here pass, which look like anything.
#[derive(Debug)]
pub(super) struct ReferenceScreen(PersonalDataScreen);

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

/// More digits are somebody's number.
const MOST_DIGITS: usize = 6;

/// Dates before are those of a birth.
const FIRST_YEAR: u16 = 2020;

impl ReferenceScreen {
    pub(super) fn standard() -> Self {
        Self(PersonalDataScreen::standard())
    }
}

impl Screen for ReferenceScreen {
    fn is_personal(&self, text: &str) -> bool {
        let is_number = digits_together(text) > MOST_DIGITS && !is_random_id(text);
        is_number || self.0.is_personal(text)
    }
}

/// The most digits between which there are no letters. A day of these years is none of them: incidents have it in their
/// numbers.
fn digits_together(text: &str) -> usize {
    let numbers = text.split(|it: char| it.is_ascii_alphabetic());
    let digits = numbers.map(|number| {
        let is_digit = |it: char| it.is_ascii_digit();
        let parts: Vec<_> = number
            .split(|it| !is_digit(it))
            .filter(|it| !it.is_empty())
            .collect();
        let all: usize = parts.iter().map(|part| part.len()).sum();
        let has_day = parts.iter().any(|part| is_day(part))
            || parts.windows(3).any(|three| {
                three.iter().map(|part| part.len()).eq([4, 2, 2]) && is_day(&three.concat())
            });
        if has_day { all - 8 } else { all }
    });
    digits.max().unwrap_or(0)
}

/// Whether it is a day, as `20261128`.
fn is_day(digits: &str) -> bool {
    let number = |range: std::ops::Range<usize>| digits.get(range)?.parse::<u16>().ok();
    let (year, month, day) = (number(0..4), number(4..6), number(6..8));
    digits.len() == 8
        && year.is_some_and(|year| (FIRST_YEAR..2100).contains(&year))
        && month.is_some_and(|month| (1..=12).contains(&month))
        && day.is_some_and(|day| (1..=31).contains(&day))
}

/// Whether it has the form of an id that a program has made at random: a UUID, a trace, or a ULID.
fn is_random_id(text: &str) -> bool {
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_uuid = text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && text.split('-').all(is_hex);
    let is_trace = text.len() == 32 && is_hex(text);
    let is_ulid = text.len() == 26
        && text.starts_with(['0', '1', '2', '3', '4', '5', '6', '7'])
        && text.bytes().all(|byte| {
            let byte = byte.to_ascii_uppercase();
            byte.is_ascii_digit() || byte.is_ascii_uppercase() && !b"ILOU".contains(&byte)
        });
    // Digits alone, or nearly, are a number in the form of one.
    (is_uuid || is_trace || is_ulid) && letters >= 2
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
    fn a_reference_has_no_more_digits_than_the_number_of_a_ticket_whatever_stands_between_them() {
        let screen = ReferenceScreen::standard();
        for (text, is_refused) in [
            ("T-1042", false),
            ("SUP-123456", false),
            ("SUP-1234567", true),
            ("4479-4609-5812", true),
            ("4479.4609.5812", true),
            ("4479:4609/5812", true),
            ("4479_4609_5812", true),
            ("C-12-34-56-7", true),
            ("12-3456", false),
            // Between letters there are other numbers.
            ("A123456B123456", false),
            ("INC-20261128-12", false),
            ("INC-2026-11-28-12", false),
            ("INC-20261128-123456", false),
            ("INC-20261128-1234567", true),
            // No day, or one of a birth.
            ("INC-20261328-12", true),
            ("INC-19800512-12", true),
            ("1980-05-12", true),
            ("01a21473-4fe0-7d94-bf7c-5d47228ca4aa", false),
            ("00000000-0000-0000-0000-000000000000", true),
            ("4bf92f3577b34da6a3ce929d0e0e4736", false),
            ("44794609581244794609581244794609", true),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", false),
            ("01K1234567890ABCDEFGHJKMNP", false),
            ("01234567890123456789012345", true),
        ] {
            assert_eq!(screen.is_personal(text), is_refused, "{text}");
        }
    }

    #[test]
    fn ids_that_are_made_at_random_pass() {
        // SplitMix64: the same each time.
        let mut state = 7_u64;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z ^ z >> 27
        };
        for _ in 0..20_000 {
            let (high, low) = (next(), next());
            let hex = format!("{high:016x}{low:016x}");
            let uuid = format!(
                "{}-{}-7{}-b{}-{}",
                &hex[..8],
                &hex[8..12],
                &hex[13..16],
                &hex[17..20],
                &hex[20..]
            );
            for id in [&hex, &uuid] {
                let is_number = digits_together(id) > MOST_DIGITS && !is_random_id(id);
                assert!(!is_number, "{id}");
            }
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
