//! The table, disturbed at the moments between what a sweep does to it.

use std::{
    collections::VecDeque,
    future::pending,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use portcullis_keyring::{TenantId, sweep::Cursor};
use portcullis_pii_crypto::{
    AnyPii,
    reencrypt::{IndexWrite, RowChange, RowError, RowOutcome, Scope, SealedRow, SealedRows},
};
use tokio::sync::Notify;

use super::{customers::Customers, shop::Shop};

/// What happens before the table does what a sweep asks of it, or after that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Nothing,
    /// The table fails, and has done nothing.
    Fails,
    /// The process of the sweep is killed.
    KilledBefore,
    KilledAfter,
    /// A customer is stored: by its number, with this number in its address.
    Stores(u32, u32),
    /// The same, by a process that does not know of the last rotation yet.
    StoresLate(u32, u32),
    /// The same, by a process of the version that knows no sealed columns.
    StoresPlain(u32, u32),
    Removes(u32),
}

/// Does the events one by one.
#[derive(Debug)]
pub(crate) struct Disturbed<'a> {
    customers: Customers,
    events: Mutex<VecDeque<Event>>,
    applications: &'a dyn Application,
    pub(crate) killed: Notify,
}

/// What does the events.
#[async_trait]
pub(crate) trait Application: std::fmt::Debug + Send + Sync {
    async fn disturb(&self, event: &Event);
}

impl<'a> Disturbed<'a> {
    pub(crate) fn new(shop: &Shop, events: Vec<Event>, applications: &'a dyn Application) -> Self {
        Self {
            customers: shop.customers.clone(),
            events: Mutex::new(events.into()),
            applications,
            killed: Notify::new(),
        }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.events().is_empty()
    }

    fn events(&self) -> std::sync::MutexGuard<'_, VecDeque<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the process is killed after what it asked.
    async fn before(&self) -> Result<bool, RowError> {
        let event = self.events().pop_front().unwrap_or(Event::Nothing);
        match event {
            Event::Nothing => Ok(false),
            Event::Fails => Err(RowError::new("customer", "the disk is full")),
            Event::KilledBefore => self.kill().await,
            Event::KilledAfter => Ok(true),
            event => {
                self.applications.disturb(&event).await;
                Ok(false)
            }
        }
    }

    async fn after(&self, is_killed: bool) {
        if is_killed {
            self.kill::<()>().await;
        }
    }

    /// The test drops the sweep when it is told.
    async fn kill<T>(&self) -> T {
        self.killed.notify_one();
        pending().await
    }
}

#[async_trait]
impl SealedRows for Disturbed<'_> {
    fn table(&self) -> &str {
        self.customers.table()
    }

    async fn count(&self, scope: &Scope) -> Result<u64, RowError> {
        let is_killed = self.before().await?;
        let counted = self.customers.count(scope).await;
        self.after(is_killed).await;
        counted
    }

    async fn page(
        &self,
        scope: &Scope,
        after: Option<&Cursor>,
        limit: NonZeroU32,
    ) -> Result<Vec<SealedRow>, RowError> {
        let is_killed = self.before().await?;
        let page = self.customers.page(scope, after, limit).await;
        self.after(is_killed).await;
        page
    }

    async fn apply(&self, changes: &[RowChange]) -> Result<Vec<RowOutcome>, RowError> {
        let is_killed = self.before().await?;
        let outcomes = self.customers.apply(changes).await;
        self.after(is_killed).await;
        outcomes
    }

    fn index(&self, tenant: &TenantId, field: &str, value: &AnyPii) -> Vec<IndexWrite> {
        self.customers.index(tenant, field, value)
    }

    async fn cursor(&self, sweep: &str) -> Result<Option<Cursor>, RowError> {
        let is_killed = self.before().await?;
        let cursor = self.customers.cursor(sweep).await;
        self.after(is_killed).await;
        cursor
    }

    async fn set_cursor(&self, sweep: &str, cursor: Option<&Cursor>) -> Result<(), RowError> {
        let is_killed = self.before().await?;
        let set = self.customers.set_cursor(sweep, cursor).await;
        self.after(is_killed).await;
        set
    }
}
