//! Sealed leads are opened, for those who read them and those who compare.

use portcullis_keyring::PrepareError;
use tracing::Instrument as _;

use super::{
    key_lookups::KeyLookups,
    pii,
    pii_span::{self, PiiWork},
};
use crate::lead::{LeadOpener, LeadRecord, OpenedLead};

/// Opens what can be opened of some leads, in a span of its own; `report` is told of each of them there.
///
/// # Errors
/// The keys are unavailable altogether.
pub(super) async fn open(
    opener: &LeadOpener<'_>,
    leads: Vec<LeadRecord>,
    report: impl Fn(&OpenedLead),
) -> Result<Vec<OpenedLead>, PrepareError> {
    let span = pii_span::span("open");
    let columns = leads.iter().flat_map(|lead| &lead.sealed);
    let mut work = PiiWork::on(columns.map(|stored| stored.column.kind()));
    let keys = KeyLookups::during(opener.cipher(&leads));
    let (cipher, keys) = keys.instrument(span.clone()).await;
    work.keys = keys;
    let _entered = span.enter();
    let opened = match cipher {
        Ok(cipher) => {
            let leads = leads.into_iter();
            Ok(leads.map(|lead| opener.open(&cipher, lead)).collect())
        }
        Err(error) => {
            work.all_failed(&error);
            Err(error)
        }
    };
    for lead in opened.iter().flatten() {
        report(lead);
        for (_, fault) in lead.faults() {
            work.failed(pii::outcome(&fault));
        }
    }
    work.record(&span);
    opened
}
