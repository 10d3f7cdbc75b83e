//! A record is found by a value that is stored nowhere in the clear, also while the index root is
//! being replaced.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{collections::HashMap, error::Error};

use portcullis_keyring::TenantId;
use portcullis_pii_crypto::{Email, IndexRoots, Pii, secrets::VersionedSecrets};
use secrecy::SecretString;

const OLD: &str = "1:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=";
const NEW: &str = "2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

/// As a table with a unique column would have it: fingerprint → record.
type Table = HashMap<Vec<u8>, &'static str>;

fn main() -> Result<(), Box<dyn Error>> {
    let tenant = TenantId::new("tenant-7")?;
    let john = Pii::<Email>::parse("John.Smith@example.com")?;
    let mut table = Table::new();

    // Every live version is written.
    let old = roots(OLD, "1")?;
    for value in old.unique(&tenant, "lead.email", &john) {
        table.insert(value.as_bytes().to_vec(), "lead-1");
    }
    assert_eq!(
        find(&table, &old, &tenant, "john.smith@EXAMPLE.com")?,
        Some("lead-1")
    );

    // Another tenant has other fingerprints, and so has another value.
    let other = TenantId::new("tenant-8")?;
    assert_eq!(find(&table, &old, &other, "john.smith@example.com")?, None);
    assert_eq!(find(&table, &old, &tenant, "john@example.com")?, None);

    // Version 2 is written beside version 1 until every row has it; then it can be enforced.
    let both = roots(&format!("{OLD},{NEW}"), "1")?;
    for value in both.unique(&tenant, "lead.email", &john) {
        table.insert(value.as_bytes().to_vec(), "lead-1");
    }
    assert_eq!(table.len(), 2);
    let new = roots(&format!("{OLD},{NEW}"), "2")?;
    assert_eq!(
        find(&table, &new, &tenant, "john.smith@example.com")?,
        Some("lead-1")
    );
    println!("found under version {}", new.enforced_version());
    Ok(())
}

/// Looks up the enforced version, which comes first.
fn find(
    table: &Table,
    roots: &IndexRoots,
    tenant: &TenantId,
    email: &str,
) -> Result<Option<&'static str>, Box<dyn Error>> {
    let values = roots.unique(tenant, "lead.email", &Pii::<Email>::parse(email)?);
    let enforced = values.first().ok_or("there is an enforced version")?;
    Ok(table.get(enforced.as_bytes()).copied())
}

fn roots(configured: &str, primary: &str) -> Result<IndexRoots, Box<dyn Error>> {
    let configured = SecretString::from(configured);
    let secrets = VersionedSecrets::parse(&configured, Some(primary.parse()?))?;
    Ok(IndexRoots::new(secrets)?)
}
