//! What is stored, opened by the crates from the outside.

use std::{fmt::Write as _, sync::Arc};

use portcullis_keyring::{
    Keyring, TenantId, kek::LocalKek, secrets::VersionedSecrets, store::SqliteDekStore,
};
use portcullis_pii_crypto::{
    AnyPii, Cipher, Email, FreeText, NationalId, PersonName, PhoneNumber, PiiKind, PostalAddress,
    Sealed,
};
use serde_json::Value;
use sqlx::Row as _;

use super::{aliases::Aliases, frozen_cipher};
use crate::harness::{Data, KEK};

/// The rows of a database.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// One line an event or a lead, with its personal data in the clear.
    pub(super) opened: String,
    /// One line for each sealed value, as it is with frozen keys and random numbers.
    pub(super) sealed: String,
}

const COLUMNS: [&str; 5] = ["email", "phone", "national_id", "name", "address"];

pub(super) async fn read(data: &Data, aliases: &mut Aliases) -> Rows {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(data.database());
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let secrets = VersionedSecrets::parse(&KEK.to_owned().into(), None).unwrap();
    let store = Arc::new(SqliteDekStore::new(pool.clone()));
    let mut reader = Reader {
        keyring: Keyring::builder(Arc::new(LocalKek::new(secrets)), store).build(),
        rows: Rows::default(),
    };
    let leads = sqlx::query("SELECT * FROM lead ORDER BY rowid");
    for row in leads.fetch_all(&pool).await.unwrap() {
        reader.lead(&pool, &row, aliases).await;
    }
    let events = sqlx::query("SELECT * FROM event ORDER BY n");
    for row in events.fetch_all(&pool).await.unwrap() {
        reader.event(&row, aliases).await;
    }
    reader.rows
}

struct Reader {
    keyring: Keyring,
    rows: Rows,
}

impl Reader {
    async fn lead(
        &mut self,
        pool: &sqlx::SqlitePool,
        row: &sqlx::sqlite::SqliteRow,
        aliases: &mut Aliases,
    ) {
        let (id, tenant): (String, String) = (row.get("id"), row.get("tenant"));
        let alias = aliases.lead(&id);
        let mut line = format!("{tenant} {alias}");
        for column in COLUMNS {
            let sealed: Option<Vec<u8>> = row.get(format!("{column}_enc").as_str());
            if let Some(sealed) = sealed {
                let sealed = Sealed::from_bytes(sealed).unwrap();
                let place = (format!("lead.{column}"), id.as_str(), alias.as_str());
                let opened = self
                    .open(&tenant, &place.0, place.1, place.2, &sealed)
                    .await;
                write!(line, " {column}={opened}").unwrap();
            }
        }
        let values = sqlx::query(
            "SELECT field, \"index\", value FROM lead_index WHERE lead = ? ORDER BY rowid",
        );
        for row in values.bind(&id).fetch_all(pool).await.unwrap() {
            let (field, index): (String, String) = (row.get("field"), row.get("index"));
            let value = hex::encode(row.get::<Vec<u8>, _>("value"));
            write!(line, " {field}/{index}:{value}").unwrap();
        }
        writeln!(self.rows.opened, "{line}").unwrap();
    }

    async fn event(&mut self, row: &sqlx::sqlite::SqliteRow, aliases: &mut Aliases) {
        let text = |name: &str| row.get::<String, _>(name);
        let (tenant, event_type) = (text("tenant"), text("type"));
        let (source, id) = (text("source"), text("id"));
        let record = format!("{source} {id}");
        let mut payload: Value = serde_json::from_str(&text("payload")).unwrap();
        let mut places = Vec::new();
        sealed_places(&payload, String::new(), &mut places);
        for pointer in places {
            let field = format!("event.{event_type}{pointer}");
            let value = payload.pointer_mut(&pointer).unwrap();
            let sealed = value.as_str().unwrap().parse().unwrap();
            *value = self
                .open(&tenant, &field, &record, &record, &sealed)
                .await
                .into();
        }
        aliases.scrub(&mut payload);
        let lead = row.get::<Option<String>, _>("lead");
        let lead = lead.map_or(String::new(), |id| format!(" of {}", aliases.lead(&id)));
        let version: i64 = row.get("schema_version");
        let time = if text("time") == text("received_at") {
            "as received"
        } else {
            "its own time"
        };
        // What names a lead has another id in each run.
        let names_a_lead = event_type == "lead.updated";
        let content = if names_a_lead {
            "<of an id>".to_owned()
        } else {
            hex::encode(row.get::<Vec<u8>, _>("content_fp"))
        };
        writeln!(
            self.rows.opened,
            "{tenant} {event_type}/{version} {record:?}{lead}, {time}, content {content}: {payload}"
        )
        .unwrap();
    }

    /// A value in the clear, with its kind and how it was sealed; `named` is the record in every run.
    async fn open(
        &mut self,
        tenant: &str,
        field: &str,
        record: &str,
        named: &str,
        sealed: &Sealed<AnyPii>,
    ) -> String {
        let of_tenant = TenantId::new(tenant).unwrap();
        let keys = self
            .keyring
            .prepare_ids(&of_tenant, &[sealed.key_id()])
            .await;
        let cipher = Cipher::new(keys.unwrap());
        let opened = kinds()
            .into_iter()
            .find_map(|kind| kind.open(&cipher, field, record, sealed).ok());
        let opened = opened.unwrap_or_else(|| panic!("{field} of {named} does not open"));
        let (suite, bytes) = (sealed.as_bytes()[1], sealed.as_bytes().len());
        let frozen = frozen_cipher::sealed(tenant, &opened, field, named).await;
        writeln!(self.rows.sealed, "{tenant} {field} of {named:?}: {frozen}").unwrap();
        // EXPOSE: invented, and what the test is about.
        format!(
            "{:?} ({}, suite {suite}, {bytes} bytes)",
            opened.expose(),
            opened.kind()
        )
    }
}

fn kinds() -> [PiiKind; 6] {
    [
        PiiKind::of::<Email>(),
        PiiKind::of::<PhoneNumber>(),
        PiiKind::of::<NationalId>(),
        PiiKind::of::<PersonName>(),
        PiiKind::of::<PostalAddress>(),
        PiiKind::of::<FreeText>(),
    ]
}

/// JSON pointers to what is sealed.
fn sealed_places(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.parse::<Sealed<AnyPii>>().is_ok() => found.push(at),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                sealed_places(item, format!("{at}/{index}"), found);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                sealed_places(value, format!("{at}/{name}"), found);
            }
        }
        _ => {}
    }
}
