//! Data keys: which there are, and what operators do with them and with the rows that need them.

mod census;
mod describe;
mod error;
mod kek_age;
mod request;
mod retire;
mod rewrap;
mod rotate;
mod shred;
mod sweep;

use std::{
    num::{NonZeroU16, NonZeroU32},
    sync::Arc,
};

use portcullis_keyring::{
    KeyId, Keyring,
    kek::KekProvider,
    store::{DamagedKey, DekStore, KeyQuery, StoreError as KeyStoreError, StoredKey},
    sweep::Progress,
};
use portcullis_pii_crypto::{
    PiiKinds,
    reencrypt::{Reencryptor, SealedRows},
};

use super::{Action, Actor, AdminObserver, DataKeyAction, names, recorder::Recorder};
use crate::{
    audit::AuditLog,
    clock::Clock,
    store::{LiveIndexRoots, Store, Sweeping},
};

pub(crate) use self::{
    census::{Census, KeyCensus},
    describe::{DAMAGED, DataKeyDescription, DataKeyPage, FailedRow, RowCount, UnusableDataKey},
    error::DataKeyError,
    request::{DataKeyRequest, DataKeyRotation, DataKeySelection, SweepPace, parse_tenant},
    retire::RetiredDataKey,
    rewrap::RewrappedDataKeys,
    rotate::{FailedDataKey, RotatedDataKeys},
    sweep::{Reencrypted, VerifiedRows},
};

/// Is told how far something has come, and with what.
pub(crate) type OnProgress<'a> = &'a mut (dyn FnMut(&str, &Progress) + Send);

/// What data keys are kept in, wrapped with and needed by.
#[derive(Debug, Clone)]
pub(crate) struct KeyMaterial {
    pub(crate) keyring: Keyring,
    pub(crate) store: Arc<dyn DekStore>,
    pub(crate) kek: Arc<dyn KekProvider>,
    pub(crate) sweeps: Arc<dyn Sweeping>,
    /// Remembers since when secrets are used.
    pub(crate) secrets: Arc<dyn Store>,
    pub(crate) index_roots: LiveIndexRoots,
}

/// The use cases on data keys.
#[derive(Debug, Clone)]
pub(crate) struct DataKeys {
    keys: KeyMaterial,
    census: KeyCensus,
    clock: Arc<dyn Clock>,
    recorder: Recorder,
}

impl DataKeys {
    const DEFAULT_PAGE: NonZeroU16 = NonZeroU16::new(100).expect("100 is not zero");
    const MAX_PAGE: NonZeroU16 = NonZeroU16::new(1_000).expect("1,000 is not zero");

    pub(super) fn new(keys: KeyMaterial, clock: Arc<dyn Clock>, recorder: Recorder) -> Self {
        Self {
            census: KeyCensus::new(&keys, Arc::clone(&clock)),
            keys,
            clock,
            recorder,
        }
    }

    /// For the command line, which has no more than these.
    pub(crate) fn standalone(
        keys: KeyMaterial,
        clock: Arc<dyn Clock>,
        audit: AuditLog,
        observer: Arc<dyn AdminObserver>,
    ) -> Self {
        Self::new(keys, clock, Recorder::new(audit, observer))
    }

    /// How many there are, for gauges.
    pub(crate) const fn census(&self) -> &KeyCensus {
        &self.census
    }

    /// Lists keys by id, a page at a time, each with how many rows need it.
    pub(crate) async fn list(
        &self,
        actor: &Actor,
        request: &DataKeyRequest,
    ) -> Result<DataKeyPage, DataKeyError> {
        let action = Action::DataKeys {
            what: DataKeyAction::List,
            tenant: request.selection.tenant.as_deref(),
            key: None,
        };
        let query = request.query(Self::DEFAULT_PAGE, Self::MAX_PAGE);
        let query = query.map_err(|error| self.recorder.rejected(actor, action, error))?;
        let page = async {
            self.check_tenant(&query).await?;
            self.page(&query).await
        };
        self.recorder.read(actor, action, page).await
    }

    /// Refuses a selection that nothing can be of, before something is begun in the background.
    pub(super) async fn check_selection(
        &self,
        actor: &Actor,
        what: DataKeyAction,
        selection: &DataKeySelection,
    ) -> Result<(), DataKeyError> {
        let check = async { self.check_tenant(&selection.query(NonZeroU32::MIN)?).await };
        let checked: Result<(), DataKeyError> = check.await;
        checked.map_err(|error| {
            let action = Action::DataKeys {
                what,
                tenant: selection.tenant.as_deref(),
                key: None,
            };
            self.recorder.rejected(actor, action, error)
        })
    }

    /// A tenant without any key is taken for a name that was mistyped.
    async fn check_tenant(&self, query: &KeyQuery) -> Result<(), DataKeyError> {
        let Some(tenant) = query.tenant() else {
            return Ok(());
        };
        let one = KeyQuery::all(NonZeroU32::MIN).of_tenant(tenant.clone());
        if self.keys.store.list(&one).await?.rows() > 0 {
            return Ok(());
        }
        let name = names::recorded(Some(tenant.as_str()));
        Err(DataKeyError::UnknownTenant(name.map(str::to_owned)))
    }

    async fn page(&self, query: &KeyQuery) -> Result<DataKeyPage, DataKeyError> {
        let keys = self.keys.store.list(query).await?;
        let rows = self.census.rows_by_key().await?;
        let is_full = keys.rows() >= usize::try_from(query.limit().get()).unwrap_or(usize::MAX);
        let next = keys.last_id().filter(|_| is_full);
        let of_damaged = |key: &DamagedKey| {
            let rows = rows.get(&key.id).copied().unwrap_or_default();
            RowCount::of_damaged(key, rows)
        };
        let damaged_keys: Vec<RowCount> = keys.damaged.iter().map(of_damaged).collect();
        let now = self.clock.wall();
        let describe = |key: &StoredKey| {
            let rows = rows.get(&key.id()).copied().unwrap_or_default();
            DataKeyDescription::new(key, &*self.keys.kek, rows, now.into())
        };
        Ok(DataKeyPage {
            damaged: damaged_keys.iter().map(|it| it.key.clone()).collect(),
            damaged_keys,
            keys: keys.keys.iter().map(describe).collect(),
            next: next.map(|id| id.to_string()),
        })
    }

    /// One key of any tenant.
    async fn find(&self, id: KeyId) -> Result<StoredKey, DataKeyError> {
        match self.keys.store.load(id).await {
            Ok(key) => key.ok_or(DataKeyError::NotFound),
            Err(KeyStoreError::Damaged(_)) => Err(DataKeyError::Conflict(format!(
                "the row of data key {id} is damaged, and nothing is done with it: restore it from a backup"
            ))),
            Err(error) => Err(error.into()),
        }
    }

    /// The tables that hold personal data, with the index versions that are live now.
    async fn tables(&self) -> Result<Vec<Arc<dyn SealedRows>>, DataKeyError> {
        self.keys.index_roots.read().await?;
        let roots = self.keys.index_roots.present()?;
        Ok(self.keys.sweeps.sealed_rows(&roots))
    }

    fn reencryptor(&self, pace: SweepPace) -> Reencryptor {
        let reencryptor = Reencryptor::new(self.keys.keyring.clone(), PiiKinds::built_in());
        reencryptor.pace(pace.into())
    }
}
