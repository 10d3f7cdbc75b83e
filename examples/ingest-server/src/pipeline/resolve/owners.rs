//! Who has the values that only one lead may have.

use std::collections::{HashMap, HashSet};

use crate::{
    lead::{LeadColumn, LeadId},
    pipeline::{
        authenticate::Caller,
        batch::Item,
        fingerprint::{Fingerprinted, LeadData},
        rejection::Rejection,
        services::Services,
        validate::LeadIntent,
    },
    quality::Reason,
    store::{ExpectedValue, Owner},
};

/// The owners of unique values, by column and fingerprint.
#[derive(Debug, Default)]
pub(super) struct Owners(HashMap<&'static str, HashMap<Vec<u8>, Owner>>);

/// A lead that has a unique value of an item.
#[derive(Debug)]
pub(super) struct Owned {
    pub(super) lead: LeadId,
    /// What it has it under.
    pub(super) expected: ExpectedValue,
}

/// What has to be known of the leads of all items, asked for at once for each unique column: owners, and
/// which of the leads that items name there are.
pub(super) async fn known(
    services: &Services,
    caller: &Caller,
    items: &[Item<Fingerprinted>],
) -> Result<(Owners, HashSet<LeadId>), Rejection> {
    let leads = || items.iter().filter_map(|item| item.value.lead.as_ref());
    let named = leads().filter_map(|lead| match lead.intent {
        LeadIntent::Update(id) | LeadIntent::Patch(id) => Some(id),
        LeadIntent::Upsert(_) => None,
    });
    let mut named: Vec<LeadId> = named.collect();
    let (mut owners, mut existing) = (Owners::default(), HashSet::new());
    for column in services.unique_fields.columns() {
        let values = leads().flat_map(LeadData::unique);
        let values = values.filter(|(unique, _)| *unique == column);
        let values: Vec<&[u8]> = values
            .flat_map(|(_, looked_up)| looked_up.iter().map(Vec::as_slice))
            .collect();
        if values.is_empty() && named.is_empty() {
            continue;
        }
        let store = &services.store;
        let known = store.known_leads(&caller.tenant, column, &values, &named);
        let known = known.await?;
        owners.0.insert(column.name(), known.owners);
        existing.extend(known.existing);
        named.clear();
    }
    Ok((owners, existing))
}

impl Owners {
    /// The leads that have unique values of an item, in the order of the columns: the identity first.
    pub(super) fn of(
        &self,
        services: &Services,
        caller: &Caller,
        lead: &LeadData,
    ) -> Result<Vec<Owned>, Rejection> {
        let mut owned = Vec::new();
        for column in services.unique_fields.columns() {
            let mut values = lead.unique().filter(|(unique, _)| *unique == column);
            let Some((_, looked_up)) = values.next() else {
                continue;
            };
            // Two leads that earlier versions took for different people: the first is meant.
            let owner = looked_up.iter().find_map(|value| {
                let owner = self.0.get(column.name())?.get(value)?;
                Some((value, *owner))
            });
            match owner {
                None => {}
                Some((_, Owner::Nowhere)) => return Err(leads_nowhere(services, caller, column)),
                Some((value, Owner::Lead(lead))) => owned.push(Owned {
                    lead,
                    expected: ExpectedValue {
                        column,
                        value: value.clone(),
                    },
                }),
            }
        }
        Ok(owned)
    }

    /// For the items behind one: its values are that lead's.
    pub(super) fn add(&mut self, lead: &LeadData, id: LeadId) {
        for (column, looked_up) in lead.unique() {
            if let Some(written) = looked_up.first() {
                let owners = self.0.entry(column.name()).or_default();
                owners.insert(written.clone(), Owner::Lead(id));
            }
        }
    }
}

/// An entry of the index without its lead: neither can the lead be updated, nor another have its value.
fn leads_nowhere(services: &Services, caller: &Caller, column: &'static LeadColumn) -> Rejection {
    services.pii.index_leads_nowhere(&caller.tenant, column);
    let detail = format!(
        "the index of this `{}` leads to no lead: it is not what was written",
        column.name()
    );
    Rejection::new(Reason::IntegrityUnreadable, detail)
}
