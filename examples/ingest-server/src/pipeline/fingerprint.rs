//! What an item and its lead are recognised by: [`Valid`] → [`Fingerprinted`]. Nothing of it depends
//! on which lead that is, so an item that lost a race for its lead keeps it.

mod content;

use portcullis_pii_crypto::{AnyPii, FingerprintIndex, IndexRoots};
use serde_json::Value;

use self::content::Content;
use super::{
    authenticate::Caller,
    batch::Batch,
    parse::Envelope,
    rejection::Rejection,
    services::Services,
    validate::{LeadIntent, Personal, PersonalSource, Valid},
};
use crate::{
    lead::{COLUMNS, LeadColumn, LeadIndexes, UniqueFields},
    store::{DecidedAt, IndexRow},
};

/// A valid item with its fingerprints.
#[derive(Debug)]
pub(crate) struct Fingerprinted {
    /// None for a lead that came by itself.
    pub(crate) event: Option<Event>,
    pub(crate) personal: Vec<Personal>,
    pub(crate) lead: Option<LeadData>,
    /// From when on what is written of it was decided: its index values first, by whichever versions were live.
    pub(crate) decided_at: DecidedAt,
}

/// An event, and what tells it from another one under its id.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) envelope: Envelope,
    pub(crate) content_fp: Vec<u8>,
    /// Under the other versions that are configured.
    pub(crate) other_fps: Vec<Vec<u8>>,
    pub(crate) payload: Payload,
}

/// An event's data on its way to the store.
#[derive(Debug, Clone)]
pub(crate) enum Payload {
    /// Without personal data: the text that is stored.
    Plain(String),
    /// With personal data, which is yet to be sealed.
    Personal(Value),
}

/// What an item means for a lead, and what it says about it.
#[derive(Debug)]
pub(crate) struct LeadData {
    pub(crate) intent: LeadIntent,
    pub(crate) values: Vec<LeadValue>,
    /// The columns that a patch takes away.
    pub(crate) cleared: Vec<&'static LeadColumn>,
}

/// One value of a lead.
#[derive(Debug)]
pub(crate) struct LeadValue {
    pub(crate) column: &'static LeadColumn,
    /// Where it stands among the item's personal data.
    pub(crate) at: usize,
    /// The enforced version first; none for a column that is not looked up.
    pub(crate) index: Vec<IndexRow>,
    /// What a unique value is looked up by: enforced fingerprints, the one that is written first, then
    /// those that earlier versions wrote.
    pub(crate) looked_up: Vec<Vec<u8>>,
}

impl LeadData {
    /// The values that only one lead may have, each with the enforced fingerprints that it is looked up by:
    /// the one that is written first, then those that earlier versions may have written.
    pub(crate) fn unique(&self) -> impl Iterator<Item = (&'static LeadColumn, &[Vec<u8>])> {
        let unique = self.values.iter().filter(|it| !it.looked_up.is_empty());
        unique.map(|value| (value.column, value.looked_up.as_slice()))
    }
}

/// Computes the fingerprints of every item.
///
/// # Errors
/// Which index versions are live is not known.
#[tracing::instrument(skip_all)]
pub(crate) fn fingerprint(
    services: &Services,
    batch: Batch<Valid>,
) -> Result<Batch<Fingerprinted>, Rejection> {
    let any_lead = batch.items.iter().any(|item| item.value.intent.is_some());
    let decided_at = DecidedAt::now(&*services.clock);
    let roots = services.index_roots.present()?;
    let mut fingerprints = Fingerprints::of_tenant(services, &roots, &batch.caller, any_lead);
    Ok(batch.map(|valid| fingerprints.of(valid, decided_at)))
}

/// The keyed indexes of one tenant.
struct Fingerprints<'a> {
    /// The enforced version first.
    contents: Vec<FingerprintIndex>,
    content: Content,
    leads: Option<LeadIndexes>,
    unique: &'a UniqueFields,
}

impl<'a> Fingerprints<'a> {
    fn of_tenant(
        services: &'a Services,
        roots: &IndexRoots,
        caller: &Caller,
        any_lead: bool,
    ) -> Self {
        let tenant = &caller.tenant;
        Self {
            contents: roots.fingerprint_indexes(tenant, content::FIELD),
            content: Content::new(),
            leads: any_lead.then(|| LeadIndexes::of(roots, tenant)),
            unique: &services.unique_fields,
        }
    }

    fn of(&mut self, valid: Valid, decided_at: DecidedAt) -> Fingerprinted {
        let Valid {
            envelope,
            data,
            personal,
            intent,
            cleared,
        } = valid;
        let event = envelope.map(|envelope| self.event(envelope, data, &personal));
        let lead = intent.zip(self.leads.as_ref());
        Fingerprinted {
            event,
            lead: lead.map(|(intent, indexes)| LeadData {
                intent,
                values: lead_values(indexes, self.unique, &personal),
                cleared,
            }),
            personal,
            decided_at,
        }
    }

    fn event(&mut self, envelope: Envelope, data: Value, personal: &[Personal]) -> Event {
        self.content.write(&envelope, &data);
        let of = |contents| self.content.fingerprint(contents);
        let mut fingerprints = self.contents.iter().map(of);
        Event {
            content_fp: fingerprints.next().unwrap_or_default(),
            other_fps: fingerprints.collect(),
            envelope,
            payload: if personal.is_empty() {
                Payload::Plain(self.content.data())
            } else {
                Payload::Personal(data)
            },
        }
    }
}

/// What goes into the lead's columns: the declared personal data that stands at the top of the data under a
/// column's name.
fn lead_values(
    indexes: &LeadIndexes,
    unique: &UniqueFields,
    personal: &[Personal],
) -> Vec<LeadValue> {
    let values = values_of(COLUMNS, personal);
    values
        .map(|(column, at)| lead_value(indexes, unique, column, at, &personal[at].value))
        .collect()
}

/// The columns that take a piece of personal data, and which piece that is.
fn values_of<'a>(
    columns: &'a [LeadColumn],
    personal: &[Personal],
) -> impl Iterator<Item = (&'a LeadColumn, usize)> {
    let taken = |(at, found): (usize, &Personal)| {
        let name = found.pointer.strip_prefix('/')?;
        Some((LeadColumn::taking(columns, name, found.value.kind())?, at))
    };
    let declared = |(_, found): &(usize, &Personal)| found.source == PersonalSource::Declared;
    let personal = personal.iter().enumerate().filter(declared);
    personal.filter_map(taken)
}

fn lead_value(
    indexes: &LeadIndexes,
    unique: &UniqueFields,
    column: &'static LeadColumn,
    at: usize,
    value: &AnyPii,
) -> LeadValue {
    let written = indexes.values(column, value);
    // Only what is unique is looked up by what is written.
    let looked_up = if unique.contains(column) {
        indexes.looked_up(column, value, &written)
    } else {
        Vec::new()
    };
    LeadValue {
        column,
        at,
        index: written.into_iter().map(IndexRow::from).collect(),
        looked_up: looked_up
            .iter()
            .map(|value| value.as_bytes().to_vec())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use portcullis_pii_crypto::{Email, PiiKind, PiiKinds};

    use super::*;

    /// The value of an e-mail field, as the schemas read it.
    fn email_at(pointer: &str) -> Vec<Personal> {
        let kind = PiiKinds::built_in().find("email").unwrap();
        let value = kind.parse("a@example.com").unwrap();
        let pointer = pointer.to_owned();
        vec![Personal {
            pointer,
            value,
            source: PersonalSource::Declared,
        }]
    }

    #[test]
    fn a_column_that_is_not_looked_up_keeps_data_of_an_indexed_kind() {
        let columns = [LeadColumn::sealed_only(
            "second_email",
            "lead.second_email",
            PiiKind::of::<Email>(),
        )];
        assert!(columns[0].kind().is_indexed() && !columns[0].is_indexed());
        let personal = email_at("/second_email");
        // EXPOSE: a test compares what it wrote.
        let kept = values_of(&columns, &personal)
            .map(|(column, at)| (column.name(), personal[at].value.expose()));
        assert_eq!(
            kept.collect::<Vec<_>>(),
            [("second_email", "a@example.com")]
        );
    }

    #[test]
    fn a_column_takes_values_of_its_name_and_kind_alone() {
        let taken = |pointer| values_of(COLUMNS, &email_at(pointer)).count();
        assert_eq!(taken("/email"), 1);
        assert_eq!(taken("/name"), 0);
        assert_eq!(taken("/elsewhere"), 0);
        assert_eq!(taken("/nested/email"), 0);
        let mut detected = email_at("/email");
        detected[0].source = PersonalSource::Detected;
        assert_eq!(values_of(COLUMNS, &detected).count(), 0);
    }
}
