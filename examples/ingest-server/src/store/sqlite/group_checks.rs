//! What of a group is not written, whatever it is: what waited too long, and what is of an erased tenant.

use std::{collections::HashMap, time::Duration};

use portcullis_keyring::TenantId;
use rusqlite::Connection;

use super::{erasure, failure::Failure};
use crate::{
    clock::Clock,
    store::{Receipt, Write},
};

/// The checks of one group, made while it has the write lock, so that what they find stays true.
pub(super) struct GroupChecks<'c> {
    connection: &'c Connection,
    now: Duration,
    /// Each tenant is looked for once.
    erased: HashMap<TenantId, bool>,
}

impl<'c> GroupChecks<'c> {
    pub(super) fn of_group(connection: &'c Connection, clock: &dyn Clock) -> Self {
        Self {
            connection,
            now: clock.monotonic(),
            erased: HashMap::new(),
        }
    }

    /// What becomes of a write that is refused.
    pub(super) fn refuse(&mut self, write: &Write) -> Result<Option<Receipt>, Failure> {
        let Some(decided) = write.decided_at else {
            return Ok(None);
        };
        if !decided.may_be_committed(self.now) {
            return Ok(Some(Receipt::Late));
        }
        let is_erased = self.is_erased(&write.tenant)?;
        Ok(is_erased.then_some(Receipt::TenantErased))
    }

    fn is_erased(&mut self, tenant: &TenantId) -> Result<bool, Failure> {
        if let Some(is_erased) = self.erased.get(tenant) {
            return Ok(*is_erased);
        }
        let is_erased = erasure::is_erased(self.connection, tenant)?;
        self.erased.insert(tenant.clone(), is_erased);
        Ok(is_erased)
    }
}
