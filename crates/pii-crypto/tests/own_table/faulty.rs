//! Tables that break one clause of the contract each.

use std::num::NonZeroU32;

use async_trait::async_trait;
use portcullis_keyring::{TenantId, sweep::Cursor};
use portcullis_pii_crypto::{
    AnyPii,
    reencrypt::{IndexWrite, RowChange, RowError, RowOutcome, Scope, SealedRow, SealedRows},
};

use super::{customers::Customers, shop::Shop};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    LosesARow,
    TurnsPages,
    CountsAll,
    KeepsKeys,
    NotesNoKeys,
    Overwrites,
    StopsAtConflicts,
    KeepsPlaintext,
    WritesNoIndex,
    OneCursor,
}

#[derive(Debug)]
pub(crate) struct Faulty {
    shop: Shop,
    fault: Fault,
}

impl Faulty {
    pub(crate) const fn new(shop: Shop, fault: Fault) -> Self {
        Self { shop, fault }
    }

    /// What is in a row now, under the name of what was read.
    async fn as_it_is(&self, change: &RowChange) -> Result<RowChange, RowError> {
        let most = NonZeroU32::MAX;
        let rows = self.shop.customers.page(&Scope::All, None, most).await?;
        let now = rows.into_iter().find(|row| row.at == change.row.at);
        let now = now.unwrap_or_else(|| {
            SealedRow::new(change.row.tenant.clone(), change.row.at.clone(), Vec::new())
        });
        let mut now = RowChange::none(now);
        now.sealed = change.sealed.clone();
        now.indexed = change.indexed.clone();
        Ok(now)
    }

    async fn run(&self, sql: &'static str, change: &RowChange) -> Result<(), RowError> {
        let statement = sqlx::query(sql).bind(change.row.at.as_str());
        let ran = statement.execute(&self.shop.pool).await;
        ran.map_err(|error| RowError::new("customer", error))?;
        Ok(())
    }
}

#[async_trait]
impl SealedRows for Faulty {
    fn table(&self) -> &str {
        self.shop.customers.table()
    }

    async fn count(&self, scope: &Scope) -> Result<u64, RowError> {
        let scope = match (self.fault, scope) {
            (Fault::CountsAll, Scope::Keys(_)) => &Scope::All,
            _ => scope,
        };
        self.shop.customers.count(scope).await
    }

    async fn page(
        &self,
        scope: &Scope,
        after: Option<&Cursor>,
        limit: NonZeroU32,
    ) -> Result<Vec<SealedRow>, RowError> {
        let mut page = self.shop.customers.page(scope, after, limit).await?;
        match self.fault {
            Fault::LosesARow if after.is_some() => {
                page.pop();
            }
            Fault::TurnsPages => page.reverse(),
            _ => {}
        }
        Ok(page)
    }

    async fn apply(&self, changes: &[RowChange]) -> Result<Vec<RowOutcome>, RowError> {
        let customers = &self.shop.customers;
        let mut outcomes = Vec::new();
        for change in changes {
            let now = self.as_it_is(change).await?;
            let outcome = match self.fault {
                Fault::Overwrites => customers.apply(&[now]).await?,
                _ => customers.apply(std::slice::from_ref(change)).await?,
            };
            match self.fault {
                Fault::KeepsKeys => {
                    let keep = "INSERT OR IGNORE INTO customer_key
                        SELECT DISTINCT key_id, ? FROM customer_key";
                    self.run(keep, change).await?;
                }
                Fault::NotesNoKeys => {
                    let forget = "DELETE FROM customer_key WHERE customer = ?";
                    self.run(forget, change).await?;
                }
                Fault::WritesNoIndex => {
                    let forget = "DELETE FROM customer_index WHERE customer = ?";
                    self.run(forget, change).await?;
                }
                Fault::KeepsPlaintext => {
                    let keep = "UPDATE customer SET email = 'one@example.com' WHERE id = ?";
                    self.run(keep, change).await?;
                }
                Fault::StopsAtConflicts if outcome == [RowOutcome::Changed] => {
                    outcomes.resize(changes.len(), RowOutcome::Changed);
                    return Ok(outcomes);
                }
                _ => {}
            }
            outcomes.extend(outcome);
        }
        Ok(outcomes)
    }

    fn index(&self, tenant: &TenantId, field: &str, value: &AnyPii) -> Vec<IndexWrite> {
        self.shop.customers.index(tenant, field, value)
    }

    async fn cursor(&self, sweep: &str) -> Result<Option<Cursor>, RowError> {
        self.shop.customers.cursor(self.named(sweep)).await
    }

    async fn set_cursor(&self, sweep: &str, cursor: Option<&Cursor>) -> Result<(), RowError> {
        let sweep = self.named(sweep);
        self.shop.customers.set_cursor(sweep, cursor).await
    }
}

impl Faulty {
    const fn named<'a>(&self, sweep: &'a str) -> &'a str {
        match self.fault {
            Fault::OneCursor => "sweep",
            _ => sweep,
        }
    }
}

/// The table, as if only the keys told the kinds of its fields; as events are read.
#[derive(Debug)]
pub(crate) struct Untyped(Customers);

impl Untyped {
    pub(crate) const fn new(customers: Customers) -> Self {
        Self(customers)
    }
}

#[async_trait]
impl SealedRows for Untyped {
    fn table(&self) -> &str {
        self.0.table()
    }

    async fn count(&self, scope: &Scope) -> Result<u64, RowError> {
        self.0.count(scope).await
    }

    async fn page(
        &self,
        scope: &Scope,
        after: Option<&Cursor>,
        limit: NonZeroU32,
    ) -> Result<Vec<SealedRow>, RowError> {
        let mut page = self.0.page(scope, after, limit).await?;
        for field in page.iter_mut().flat_map(|row| &mut row.fields) {
            field.kind = None;
        }
        Ok(page)
    }

    async fn apply(&self, changes: &[RowChange]) -> Result<Vec<RowOutcome>, RowError> {
        self.0.apply(changes).await
    }

    async fn cursor(&self, sweep: &str) -> Result<Option<Cursor>, RowError> {
        self.0.cursor(sweep).await
    }

    async fn set_cursor(&self, sweep: &str, cursor: Option<&Cursor>) -> Result<(), RowError> {
        self.0.set_cursor(sweep, cursor).await
    }
}
