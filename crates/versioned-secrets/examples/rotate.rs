//! A rotation in three deployments: add the new version, make it primary, drop the old one.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use portcullis_versioned_secrets::{SecretVersion, VersionedSecrets};
use secrecy::SecretString;

const OLD: &str = "1:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=";
const NEW: &str = "2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (one, two): (SecretVersion, SecretVersion) = ("1".parse()?, "2".parse()?);
    let both = SecretString::from(format!("{OLD},{NEW}"));

    // Every process knows version 2 before any process writes with it.
    let first = VersionedSecrets::parse(&both, Some(one))?;
    assert_eq!(first.primary_version(), one);
    assert!(first.secret(two).is_some());

    // New things are protected under version 2, old ones still open.
    let second = VersionedSecrets::parse(&both, Some(two))?;
    assert_eq!(second.primary_version(), two);
    assert!(second.secret(one).is_some());

    // Nothing is left under version 1.
    let third = VersionedSecrets::parse(&NEW.into(), None)?;
    assert_eq!(third.primary_version(), two);
    assert!(third.secret(one).is_none());
    println!("{first:?}\n{second:?}\n{third:?}");
    Ok(())
}
