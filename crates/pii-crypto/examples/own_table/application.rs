//! What the application does with its customers while their columns are taken over.

use portcullis_keyring::{Keyring, TenantId};
use portcullis_pii_crypto::{Cipher, Email, IndexValue, PersonName, Pii, reencrypt::DualColumn};
use sqlx::{Row as _, SqliteConnection};

use super::{Customers, EMAIL, Failure, IDENTITY, IndexWrite, NAME, insert_index, note_keys};

/// What a customer's two fields become.
struct Columns {
    email: DualColumn<Email>,
    name: DualColumn<PersonName>,
}

impl Customers {
    /// Stores a customer as the first deployment does: processes of the former version read it. One that
    /// is there gets these values; whether no other customer has the address.
    pub(crate) async fn store_unsealed(
        &self,
        tenant: &TenantId,
        id: &str,
        email: Pii<Email>,
        name: Pii<PersonName>,
    ) -> Result<bool, Failure> {
        let values = self.roots.unique(tenant, EMAIL, &email);
        let columns = Columns {
            email: DualColumn::unsealed(email),
            name: DualColumn::unsealed(name),
        };
        let email = columns.email.plain().expect("it is plaintext");
        self.write(tenant, id, email, &values, &columns).await
    }

    /// Stores a customer as the second deployment does, sealed and indexed, likewise.
    pub(crate) async fn store(
        &self,
        cipher: &Cipher,
        tenant: &TenantId,
        id: &str,
        email: &Pii<Email>,
        name: &Pii<PersonName>,
    ) -> Result<bool, Failure> {
        let values = self.roots.unique(tenant, EMAIL, email);
        let columns = Columns {
            email: DualColumn::seal(cipher, EMAIL, id, email)?,
            name: DualColumn::seal(cipher, NAME, id, name)?,
        };
        self.write(tenant, id, email, &values, &columns).await
    }

    /// Each deployment writes both columns, and so empties the one that it does not fill. Who has the
    /// address is asked in the same transaction, and no two of them run at once.
    async fn write(
        &self,
        tenant: &TenantId,
        id: &str,
        email: &Pii<Email>,
        values: &[IndexValue],
        columns: &Columns,
    ) -> Result<bool, Failure> {
        let Columns {
            email: address,
            name,
        } = columns;
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let owner = owner(&mut transaction, tenant, &values[0], email).await?;
        if owner.is_some_and(|owner| owner != id) {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO customer (id, tenant, email, email_sealed, name, name_sealed)
             VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET
               email = excluded.email, email_sealed = excluded.email_sealed,
               name = excluded.name, name_sealed = excluded.name_sealed",
        )
        .bind(id)
        .bind(tenant.as_str())
        // EXPOSE: plaintext for processes of the former version, by the first deployment alone.
        .bind(address.plain().map(|email| email.expose().as_str()))
        .bind(address.sealed())
        // EXPOSE: likewise.
        .bind(name.plain().map(|name| name.expose().as_str()))
        .bind(name.sealed())
        .execute(&mut *transaction)
        .await?;
        sqlx::query("DELETE FROM customer_index WHERE customer = ?")
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        // What is plain is found by its column.
        for value in address.sealed().map_or(&[][..], |_| values) {
            let write = IndexWrite::new(IDENTITY, value.clone());
            if !insert_index(&mut transaction, tenant, id, &write).await? {
                return Ok(false);
            }
        }
        note_keys(&mut transaction, id).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The address of a customer: plaintext while it is not sealed yet.
    pub(crate) async fn email(
        &self,
        keyring: &Keyring,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Option<Pii<Email>>, Failure> {
        let row = sqlx::query("SELECT email, email_sealed FROM customer WHERE id = ?")
            .bind(id)
            .fetch_one(&self.pool)
            .await?;
        let plain: Option<String> = row.try_get("email")?;
        let plain = plain.as_deref().map(Pii::parse).transpose()?;
        // A column of this type cannot hold plaintext.
        let column = DualColumn::<Email>::new(plain, row.try_get("email_sealed")?);
        let ids = Vec::from_iter(column.key_id());
        let cipher = Cipher::new(keyring.prepare_ids(tenant, &ids).await?);
        Ok(column.read(&cipher, EMAIL, id)?)
    }

    /// Who has an address.
    pub(crate) async fn find(
        &self,
        tenant: &TenantId,
        email: &Pii<Email>,
    ) -> Result<Option<String>, Failure> {
        let value = self.roots.unique(tenant, EMAIL, email).swap_remove(0);
        let mut connection = self.pool.acquire().await?;
        owner(&mut connection, tenant, &value, email).await
    }
}

/// Who has an address: by the index if it is sealed; while it is plain by its column, compared as the
/// former version of the application compares.
async fn owner(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    value: &IndexValue,
    email: &Pii<Email>,
) -> Result<Option<String>, Failure> {
    let find = sqlx::query_scalar(
        "SELECT customer FROM customer_index JOIN customer ON id = customer
           WHERE customer_index.tenant = ?1 AND value = ?2 AND email IS NULL
         UNION ALL SELECT id FROM customer WHERE tenant = ?1 AND lower(email) = lower(?3)",
    )
    .bind(tenant.as_str())
    .bind(value)
    // EXPOSE: compared with plaintext that is still there.
    .bind(email.expose().as_str());
    Ok(find.fetch_optional(connection).await?)
}
