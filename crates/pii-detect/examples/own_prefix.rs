//! Finds secrets by a prefix of your own, and nothing but secrets.

use portcullis_pii_detect::{BuildError, Detector, Kind};

fn main() -> Result<(), BuildError> {
    let detector = Detector::builder()
        .kinds([Kind::ApiKey])
        .secret_prefix("acme_live_")
        .build()?;
    let config = "owner = bob@example.com\nkey = acme_live_0Zk3aB9xQ\n";
    let leaks: Vec<(usize, Kind)> = detector
        .find(config)
        .map(|finding| (config[..finding.range.start].lines().count(), finding.kind))
        .collect();
    assert_eq!(
        leaks,
        [(2, Kind::ApiKey)],
        "a key stands in the second line"
    );
    Ok(())
}
