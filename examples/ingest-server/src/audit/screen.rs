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
    Id::parse(name, &PersonalDataScreen::standard()).unwrap_or(UNNAMED)
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
    use super::*;

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
