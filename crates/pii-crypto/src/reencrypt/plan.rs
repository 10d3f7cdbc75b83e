//! What a row becomes.

use super::{
    FailureReason, FieldValue, IndexWrite, Reencryptor, RowField, Scope, SealedRow, SealedRows,
    keys::{Found, TenantKeys},
};
use crate::{AnyPii, IndexVersion, OpenError, SealError, Sealed};

/// What a row becomes, and which of its fields cannot be brought in order.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) sealed: Vec<(usize, Sealed<AnyPii>)>,
    pub(super) indexed: Vec<(usize, IndexWrite)>,
    pub(super) failures: Vec<(Option<usize>, FailureReason)>,
    /// It is in the scope only because more keys are noted for it than it needs.
    pub(super) notes_keys_again: bool,
    /// What it names is under the present primary already.
    pub(super) found_primary: bool,
}

/// Whether a sweep of a scope opens or seals what is stored in a field.
pub(super) fn concerns(scope: &Scope, field: &RowField) -> bool {
    match (&field.value, scope) {
        (FieldValue::Sealed(sealed), Scope::Keys(ids)) => ids.contains(&sealed.key_id()),
        (FieldValue::Sealed(_), Scope::NotIndexed(_)) => field.kind.is_some(),
        (FieldValue::Sealed(_), Scope::All) | (FieldValue::Plain(_), Scope::Plaintext) => true,
        _ => false,
    }
}

/// The keys are too old by now.
#[derive(Debug)]
pub(super) struct StaleKeys;

impl Plan {
    /// Whether there is something to write.
    pub(super) const fn writes(&self) -> bool {
        !self.sealed.is_empty() || !self.indexed.is_empty() || self.notes_keys_again
    }

    /// Nothing can be done with the row as a whole.
    pub(super) fn failed(reason: FailureReason) -> Self {
        Self {
            failures: vec![(None, reason)],
            ..Self::default()
        }
    }

    /// What a row of a scope becomes.
    pub(super) fn of(
        row: &SealedRow,
        scope: &Scope,
        rows: &dyn SealedRows,
        keys: &TenantKeys,
        reencryptor: &Reencryptor,
    ) -> Result<Self, StaleKeys> {
        let mut plan = Self::default();
        let planner = Planner {
            row,
            rows,
            keys,
            reencryptor,
        };
        for (at, field) in row.fields.iter().enumerate() {
            if let Err(stop) = planner.field(&mut plan, scope, at, field) {
                plan.failures.push((Some(at), stop.reason()?));
            }
        }
        match scope {
            Scope::Keys(_) => {
                plan.notes_keys_again =
                    plan.failures.is_empty() && plan.sealed.is_empty() && !plan.found_primary;
            }
            // What is plain is indexed when it is sealed.
            Scope::NotIndexed(_)
                if plan.indexed.is_empty()
                    && plan.failures.is_empty()
                    && row.fields.iter().any(|field| concerns(scope, field)) =>
            {
                plan.failures.push((None, FailureReason::VersionNotLive));
            }
            Scope::Plaintext | Scope::NotIndexed(_) | Scope::All => {}
        }
        Ok(plan)
    }
}

/// Why a field is left as it is.
enum Stop {
    Stale,
    Failed(FailureReason),
}

struct Planner<'a> {
    row: &'a SealedRow,
    rows: &'a dyn SealedRows,
    keys: &'a TenantKeys,
    reencryptor: &'a Reencryptor,
}

impl Planner<'_> {
    fn field(
        &self,
        plan: &mut Plan,
        scope: &Scope,
        at: usize,
        field: &RowField,
    ) -> Result<(), Stop> {
        match (&field.value, scope) {
            (FieldValue::Malformed, _) => Err(FailureReason::Malformed.into()),
            (FieldValue::Invalid(error), Scope::Plaintext) => {
                Err(FailureReason::Invalid(*error).into())
            }
            _ if !concerns(scope, field) => Ok(()),
            (FieldValue::Invalid(_), _) => Ok(()),
            (FieldValue::Plain(value), _) => self.take_in(plan, at, field, value),
            (FieldValue::Sealed(sealed), Scope::NotIndexed(version)) => {
                self.index(plan, *version, at, field, sealed)
            }
            (FieldValue::Sealed(sealed), _) => self.seal_again(plan, at, field, sealed),
        }
    }

    fn index(
        &self,
        plan: &mut Plan,
        version: IndexVersion,
        at: usize,
        field: &RowField,
        sealed: &Sealed<AnyPii>,
    ) -> Result<(), Stop> {
        if let Some(value) = self.open(field, sealed)? {
            let writes = self.rows.index(&self.row.tenant, &field.field, &value);
            let missing = writes.into_iter();
            let missing = missing.filter(|write| write.value.version() == version);
            plan.indexed.extend(missing.map(|write| (at, write)));
        }
        Ok(())
    }

    fn take_in(
        &self,
        plan: &mut Plan,
        at: usize,
        field: &RowField,
        value: &AnyPii,
    ) -> Result<(), Stop> {
        if field.kind.is_some_and(|kind| kind != value.kind()) {
            return Err(FailureReason::UnknownKind.into());
        }
        plan.sealed.push((at, self.seal(field, value)?));
        let writes = self.rows.index(&self.row.tenant, &field.field, value);
        plan.indexed
            .extend(writes.into_iter().map(|write| (at, write)));
        Ok(())
    }

    fn seal_again(
        &self,
        plan: &mut Plan,
        at: usize,
        field: &RowField,
        sealed: &Sealed<AnyPii>,
    ) -> Result<(), Stop> {
        let key = sealed.key_id();
        if let Found::Kind(kind) = self.keys.kind(field, key, self.reencryptor)
            && self.keys.is_primary(key, kind)
        {
            plan.found_primary = true;
            return Ok(());
        }
        if let Some(value) = self.open(field, sealed)? {
            plan.sealed.push((at, self.seal(field, &value)?));
        }
        Ok(())
    }

    /// Nothing for what only looks sealed.
    fn open(&self, field: &RowField, sealed: &Sealed<AnyPii>) -> Result<Option<AnyPii>, Stop> {
        match open(self.keys, self.reencryptor, field, sealed)? {
            Opened::Value(value) => Ok(Some(value)),
            Opened::Foreign => Ok(None),
            Opened::Lost(reason) => Err(reason.into()),
        }
    }

    fn seal(&self, field: &RowField, value: &AnyPii) -> Result<Sealed<AnyPii>, Stop> {
        if let Some(reason) = self.keys.cannot_seal(value.kind()) {
            return Err(reason.into());
        }
        let sealed = value.seal(self.keys.cipher(), &field.field, &field.record);
        sealed.map_err(|error| match error {
            SealError::StaleKeys => Stop::Stale,
            error => FailureReason::NotSealed(error).into(),
        })
    }
}

/// What became of opening a field.
pub(super) enum Opened {
    Value(AnyPii),
    Foreign,
    Lost(FailureReason),
}

pub(super) fn open(
    keys: &TenantKeys,
    reencryptor: &Reencryptor,
    field: &RowField,
    sealed: &Sealed<AnyPii>,
) -> Result<Opened, StaleKeys> {
    let kind = match keys.kind(field, sealed.key_id(), reencryptor) {
        Found::Kind(kind) => kind,
        Found::Foreign => return Ok(Opened::Foreign),
        Found::Lost(reason) => return Ok(Opened::Lost(reason)),
    };
    match kind.open(keys.cipher(), &field.field, &field.record, sealed) {
        Ok(value) => Ok(Opened::Value(value)),
        // Each key was prepared, and its state was read: it is too old now.
        Err(OpenError::NeedsKey(_)) => Err(StaleKeys),
        Err(error) => Ok(Opened::Lost(error.into())),
    }
}

impl Stop {
    const fn reason(self) -> Result<FailureReason, StaleKeys> {
        match self {
            Self::Stale => Err(StaleKeys),
            Self::Failed(reason) => Ok(reason),
        }
    }
}

impl From<FailureReason> for Stop {
    fn from(reason: FailureReason) -> Self {
        Self::Failed(reason)
    }
}

impl From<StaleKeys> for Stop {
    fn from(StaleKeys: StaleKeys) -> Self {
        Self::Stale
    }
}
