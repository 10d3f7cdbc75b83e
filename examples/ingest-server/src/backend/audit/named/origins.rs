//! What logs are called by who signs them, and the keys of that name.

use std::num::NonZeroU32;

use portcullis_audit_log::note::{KeyName, VerifyingKey};

use super::{
    super::{
        AuditOpenError,
        keys::{origin_of, verifying_keys},
    },
    NamedLogError, NamedLogs,
};
use crate::audit::{CurrentLog, EarlierLog, PublishedLog};

impl NamedLogs {
    /// What the log of that name is verified with.
    pub(crate) fn keys(
        &self,
        name: &str,
        number: Option<NonZeroU32>,
    ) -> Result<Vec<VerifyingKey>, NamedLogError> {
        let current = self.current(name)?;
        let base = self.origin_in(&current, name)?;
        let number = number.unwrap_or_else(|| current.generation().number());
        let origin = EarlierLog::origin(number, &base).map_err(AuditOpenError::from)?;
        Ok(verifying_keys(&origin, &self.secrets).map_err(AuditOpenError::from)?)
    }

    /// The name that the keys of the log have. A log may have got another since, which begins with the one that is
    /// configured; one that follows a rollback has its number behind it.
    pub(super) fn origin_in(
        &self,
        current: &CurrentLog,
        name: &str,
    ) -> Result<KeyName, AuditOpenError> {
        let Some(origin) = PublishedLog::origin(&current.folder()) else {
            return self.origin_of(name);
        };
        let number = current.generation().number().get();
        let base = match number {
            1 => Some(origin.as_str()),
            number => origin.as_str().strip_suffix(&format!("/{number}")),
        };
        match base {
            Some(base) if base.starts_with(self.origin.as_str()) => Ok(base.parse()?),
            _ => self.origin_of(name),
        }
    }

    /// What the log of that name is called by who writes it.
    pub(in super::super) fn origin_of(&self, name: &str) -> Result<KeyName, AuditOpenError> {
        Ok(origin_of(&self.origin, name)?)
    }
}
