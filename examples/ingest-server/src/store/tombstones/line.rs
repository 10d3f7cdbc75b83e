//! One line: `{"at":"2026-08-21T09:30:00Z","lead":"0198…","tenant":"acme"}`.

use portcullis_keyring::TenantId;
use serde_json::{Value, json};

use super::Tombstone;
use crate::{json, lead::LeadId, timestamp};

/// What is wrong with a line; never what stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("it is no JSON object")]
    NoObject,
    #[error("`tenant` is missing or no tenant")]
    Tenant,
    #[error("`lead` is no id of a lead")]
    Lead,
    #[error("`at` is missing or no time")]
    Time,
    #[error("it has a member that no such line has")]
    Unknown,
}

/// A line has no more: a tenant's name has up to 1,024 bytes, each of which may be escaped.
pub(super) const MAX_BYTES: u64 = 8 << 10;

pub(super) fn write(tombstone: &Tombstone) -> String {
    let mut line = json!({
        "at": timestamp::format(tombstone.at),
        "tenant": tombstone.tenant.as_str(),
    });
    if let Some(lead) = tombstone.lead {
        line["lead"] = lead.to_string().into();
    }
    format!("{line}\n")
}

pub(super) fn read(line: &[u8]) -> Result<Tombstone, Unreadable> {
    let read = json::read(line).map_err(|_| Unreadable::NoObject)?;
    let Value::Object(mut members) = read else {
        return Err(Unreadable::NoObject);
    };
    let mut text = |name| match members.remove(name) {
        Some(Value::String(text)) => Some(Some(text)),
        Some(_) => Some(None),
        None => None,
    };
    let tenant = text("tenant").flatten();
    let tenant = tenant.and_then(|tenant| TenantId::new(&tenant).ok());
    let lead = match text("lead") {
        None => None,
        // What is no id must not erase a whole tenant.
        Some(lead) => Some(
            lead.and_then(|lead| LeadId::parse(&lead))
                .ok_or(Unreadable::Lead)?,
        ),
    };
    let at = text("at").flatten();
    let at = at.and_then(|at| timestamp::parse(&at));
    if !members.is_empty() {
        return Err(Unreadable::Unknown);
    }
    Ok(Tombstone {
        tenant: tenant.ok_or(Unreadable::Tenant)?,
        lead,
        at: at.ok_or(Unreadable::Time)?,
    })
}
