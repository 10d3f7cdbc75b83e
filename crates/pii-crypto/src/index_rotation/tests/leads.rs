//! Leads in memory, with an index of their addresses.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use portcullis_keyring::{
    TenantId,
    secrets::{SecretVersion, VersionedSecrets},
    sweep::Cursor,
};

use super::super::{IndexRotation, IndexStates, IndexStatesError, MemoryIndex, Replaced};
use crate::{
    AnyPii, Cipher, Email, IndexPhase, IndexRoots, IndexState, IndexValue, IndexVersion, Pii,
    PiiKind, PiiKinds, Sealed,
    known_keys::{World, ascending_from},
    reencrypt::{
        FieldValue, IndexWrite, Reencryptor, RowChange, RowError, RowField, RowOutcome, Scope,
        SealedRow, SealedRows,
    },
};

pub(super) const FIELD: &str = "lead.email";

/// More than are written at once.
const ROWS_WITH_COLUMNS: u32 = 250;

/// An application: its keys, its table, and its index.
pub(super) struct Application {
    pub(super) world: World,
    pub(super) leads: Arc<Leads>,
}

#[derive(Debug)]
pub(super) struct Leads {
    tenant: TenantId,
    pub(super) index: MemoryIndex,
    roots: Mutex<IndexRoots>,
    rows: Mutex<BTreeMap<String, Sealed<AnyPii>>>,
    cursors: Mutex<BTreeMap<String, Cursor>>,
    /// Rows whose column still has the value of the version that was enforced before.
    former_columns: Mutex<u32>,
}

impl Application {
    /// With version 1 enforced.
    pub(super) async fn started() -> Self {
        let application = Self::new().await;
        let (empty, now) = (IndexState::default(), std::time::SystemTime::UNIX_EPOCH);
        let started = empty.start(version(1), now).expect("it is empty");
        let index = &application.leads.index;
        index.replace(&empty, &started).await.expect("in memory");
        application.follow().await;
        application
    }

    pub(super) async fn new() -> Self {
        let world = World::new().await;
        let number = |number: u32| SecretVersion::try_from(number).expect("not zero");
        let set = [(1, 0x20), (2, 0x30), (3, 0x40)];
        let set = set.map(|(version, first)| (number(version), ascending_from(first)));
        let secrets = VersionedSecrets::new(number(1), set).expect("they differ");
        let leads = Leads {
            tenant: world.tenant.clone(),
            index: MemoryIndex::new(),
            roots: Mutex::new(IndexRoots::new(secrets).expect("they fit")),
            rows: Mutex::default(),
            cursors: Mutex::default(),
            former_columns: Mutex::default(),
        };
        Self {
            world,
            leads: Arc::new(leads),
        }
    }

    /// Reads the phases, as every process does.
    pub(super) async fn follow(&self) {
        let state = self.leads.index.read().await.expect("in memory");
        let mut roots = self.leads.roots.lock().expect("no one panics");
        *roots = roots.in_state(&state).expect("each version is configured");
    }

    /// A lead with this address, indexed by that of `indexed`: an earlier normal form may have told two
    /// apart.
    pub(super) async fn insert(&self, record: &str, address: &str, indexed: &str) {
        let kind = PiiKind::of::<Email>();
        let cipher = Cipher::new(self.world.keys(&["email"]).await);
        let value = kind.parse(address).expect("an address");
        let sealed = value.seal(&cipher, FIELD, record).expect("it seals");
        let mut rows = self.leads.rows.lock().expect("no one panics");
        rows.insert(record.to_owned(), sealed);
        let indexed = kind.parse(indexed).expect("an address");
        let writes = self.leads.index(&self.leads.tenant, FIELD, &indexed);
        let writes: Vec<_> = writes.into_iter().map(|write| (FIELD, write)).collect();
        let set = self.leads.index.set(&self.leads.tenant, record, &writes);
        set.expect("nobody has it");
    }

    pub(super) async fn insert_many(&self, count: u32) {
        for number in 0..count {
            let address = format!("lead-{number}@example.com");
            self.insert(&format!("lead-{number}"), &address, &address)
                .await;
        }
    }

    pub(super) fn erase(&self, record: &str) {
        let mut rows = self.leads.rows.lock().expect("no one panics");
        rows.remove(record);
        let set = self.leads.index.set(&self.leads.tenant, record, &[]);
        set.expect("nothing is taken by nothing");
    }

    /// Of the values of a lead, those of some versions.
    pub(super) fn keep_versions(&self, record: &str, versions: &[u16]) {
        let email = PiiKind::of::<Email>().parse(&format!("{record}@example.com"));
        let email = email.expect("an address");
        let writes = self.leads.index(&self.leads.tenant, FIELD, &email);
        let writes = writes.into_iter();
        let kept = writes.filter(|write| versions.contains(&write.value.version().value()));
        let kept: Vec<_> = kept.map(|write| (FIELD, write)).collect();
        let set = self.leads.index.set(&self.leads.tenant, record, &kept);
        set.expect("nobody has them");
    }

    /// Among the values of a lead, that of one version is the one of another address.
    pub(super) fn put_value_of(&self, record: &str, address: &str, version: u16) {
        let value = |address: &str| {
            let email = PiiKind::of::<Email>().parse(address).expect("an address");
            self.leads.index(&self.leads.tenant, FIELD, &email)
        };
        let own = value(&format!("{record}@example.com")).into_iter();
        let is_it = |write: &IndexWrite| write.value.version().value() == version;
        let own = own.filter(|write| !is_it(write));
        let all = own.chain(value(address).into_iter().filter(is_it));
        let all: Vec<_> = all.map(|write| (FIELD, write)).collect();
        let set = self.leads.index.set(&self.leads.tenant, record, &all);
        set.expect("nobody has them");
    }

    pub(super) fn swap_sealed(&self, one: &str, other: &str) {
        let mut rows = self.leads.rows.lock().expect("no one panics");
        let (first, second) = (rows[one].clone(), rows[other].clone());
        rows.insert(one.to_owned(), second);
        rows.insert(other.to_owned(), first);
    }

    pub(super) fn find(&self, address: &str) -> Vec<String> {
        let email = Pii::<Email>::parse(address).expect("an address");
        let roots = self.leads.roots.lock().expect("no one panics");
        let values = roots.unique(&self.leads.tenant, FIELD, &email);
        let Leads { tenant, index, .. } = &*self.leads;
        index.find(tenant, FIELD, "identity", &values[0])
    }

    /// The versions that any lead has values of.
    pub(super) fn versions(&self) -> Vec<u16> {
        let rows = self.leads.rows.lock().expect("no one panics");
        let of = |record: &String| self.leads.index.versions(&self.leads.tenant, record);
        let all: std::collections::BTreeSet<_> = rows.keys().flat_map(of).collect();
        all.into_iter().map(IndexVersion::value).collect()
    }

    pub(super) fn rotation(&self, states: Arc<dyn IndexStates>) -> IndexRotation {
        let keyring = self.world.keyring.clone();
        let reencryptor = Reencryptor::new(keyring, PiiKinds::built_in());
        let timer = self.world.clock.clone();
        IndexRotation::new(states, vec![self.leads.clone()], reencryptor.timer(timer))
    }

    pub(super) fn states(&self) -> Arc<Following> {
        Arc::new(Following(self.leads.clone()))
    }
}

/// The index of the leads; every replacement of the phases is followed at once.
#[derive(Debug)]
pub(super) struct Following(Arc<Leads>);

#[async_trait]
impl IndexStates for Following {
    async fn read(&self) -> Result<IndexState, IndexStatesError> {
        self.0.index.read().await
    }

    async fn replace(
        &self,
        expected: &IndexState,
        new: &IndexState,
    ) -> Result<Replaced, IndexStatesError> {
        let replaced = self.0.index.replace(expected, new).await?;
        if replaced == Replaced::Done {
            let mut former = self.0.former_columns.lock().expect("no one panics");
            let retires =
                |(version, phase, _)| phase == IndexPhase::Retiring && new.phase(version).is_none();
            assert!(
                *former == 0 || !expected.rows().any(retires),
                "columns are written before the former version goes"
            );
            if expected.enforced() != new.enforced() {
                *former = ROWS_WITH_COLUMNS;
            }
        }
        let state = self.0.index.read().await?;
        let mut roots = self.0.roots.lock().expect("no one panics");
        *roots = roots.in_state(&state).expect("each version is configured");
        Ok(replaced)
    }

    async fn differences(
        &self,
        enforced: IndexVersion,
        written: IndexVersion,
    ) -> Result<u64, IndexStatesError> {
        self.0.index.differences(enforced, written).await
    }

    async fn copy_columns(
        &self,
        _: IndexVersion,
        limit: NonZeroU32,
    ) -> Result<u64, IndexStatesError> {
        let mut former = self.0.former_columns.lock().expect("no one panics");
        let written = (*former).min(limit.get());
        *former -= written;
        Ok(written.into())
    }

    async fn delete_others(
        &self,
        live: &[IndexVersion],
        limit: NonZeroU32,
    ) -> Result<u64, IndexStatesError> {
        self.0.index.delete_others(live, limit).await
    }
}

impl Leads {
    fn in_scope(&self, scope: &Scope) -> Vec<(String, Sealed<AnyPii>)> {
        match scope {
            Scope::NotIndexed(version) => self.lacking(*version),
            Scope::All => {
                let rows = self.rows.lock().expect("no one panics");
                rows.clone().into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn lacking(&self, version: IndexVersion) -> Vec<(String, Sealed<AnyPii>)> {
        let rows = self.rows.lock().expect("no one panics");
        let lacks = |record: &str| {
            let versions = self.index.versions(&self.tenant, record);
            !versions.is_empty() && !versions.contains(&version)
        };
        let rows = rows.iter().filter(|(record, _)| lacks(record));
        rows.map(|(record, sealed)| (record.clone(), sealed.clone()))
            .collect()
    }
}

#[async_trait]
impl SealedRows for Leads {
    fn table(&self) -> &str {
        "lead"
    }

    async fn count(&self, scope: &Scope) -> Result<u64, RowError> {
        Ok(self.in_scope(scope).len() as u64)
    }

    async fn page(
        &self,
        scope: &Scope,
        after: Option<&Cursor>,
        limit: NonZeroU32,
    ) -> Result<Vec<SealedRow>, RowError> {
        let rows = self.in_scope(scope).into_iter();
        let rows =
            rows.filter(|(record, _)| after.is_none_or(|after| record.as_str() > after.as_str()));
        let row = |(record, sealed): (String, Sealed<AnyPii>)| {
            let at = Cursor::new(record.clone());
            let (kind, value) = (PiiKind::of::<Email>(), FieldValue::Sealed(sealed));
            let field = RowField::new(FIELD.to_owned(), record, Some(kind), value);
            let indexed = self.index.of(&self.tenant, at.as_str()).into_iter();
            let indexed = indexed.map(|(_, write)| (0, write)).collect();
            SealedRow::new(self.tenant.clone(), at, vec![field]).with_indexed(indexed)
        };
        Ok(rows.map(row).take(limit.get() as usize).collect())
    }

    async fn apply(&self, changes: &[RowChange]) -> Result<Vec<RowOutcome>, RowError> {
        let rows = self.rows.lock().expect("no one panics");
        let outcome = |change: &RowChange| {
            let record = change.row.at.as_str();
            let is_as_read = rows.get(record).is_some_and(|sealed| {
                matches!(&change.row.fields[0].value, FieldValue::Sealed(read) if read == sealed)
            });
            if !is_as_read {
                return RowOutcome::Changed;
            }
            let writes = change.indexed.iter();
            let writes: Vec<_> = writes.map(|(_, write)| (FIELD, write.clone())).collect();
            match self.index.add(&self.tenant, record, &writes) {
                Ok(()) => RowOutcome::Written,
                Err(_) => RowOutcome::Duplicate,
            }
        };
        Ok(changes.iter().map(outcome).collect())
    }

    fn index(&self, tenant: &TenantId, field: &str, value: &AnyPii) -> Vec<IndexWrite> {
        let roots = self.roots.lock().expect("no one panics");
        let values = value.index(&roots.unique_index(tenant, field));
        let write = |value: IndexValue| IndexWrite::new("identity", value);
        values.into_iter().flatten().map(write).collect()
    }

    async fn cursor(&self, sweep: &str) -> Result<Option<Cursor>, RowError> {
        let cursors = self.cursors.lock().expect("no one panics");
        Ok(cursors.get(sweep).cloned())
    }

    async fn set_cursor(&self, sweep: &str, cursor: Option<&Cursor>) -> Result<(), RowError> {
        let mut cursors = self.cursors.lock().expect("no one panics");
        match cursor {
            Some(cursor) => cursors.insert(sweep.to_owned(), cursor.clone()),
            None => cursors.remove(sweep),
        };
        Ok(())
    }
}

pub(super) fn version(number: u32) -> IndexVersion {
    number.try_into().expect("it is in range")
}
