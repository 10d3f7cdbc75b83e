//! Variables that this build cannot honour, and those that it does not know.

use super::{Sources, problems::Problems};

const KEK_PROVIDER: &str = "PORTCULLIS_KEK_PROVIDER";
const REDIS: &str = "INGEST_REDIS_URL";

/// Refuses what would be missed without a word, and gives the names that mean nothing here. Those
/// are no problem: container platforms inject their own, such as `INGEST_SERVICE_HOST`.
pub(super) fn read(sources: &Sources, problems: &mut Problems) -> Vec<String> {
    match sources.value(KEK_PROVIDER).as_deref() {
        None | Some("local") => {}
        Some(feature @ ("aws-kms" | "vault")) => problems.add(
            KEK_PROVIDER,
            format!("needs the cargo feature `{feature}`, which this build does not contain"),
        ),
        Some(_) => problems.add(KEK_PROVIDER, "must be `local`"),
    }
    if sources.value(REDIS).is_some() {
        problems.add(
            REDIS,
            "is not part of this build; limits and revocation go through the database",
        );
    }
    let unknown = sources.unknown_variables();
    unknown
        .filter(|name| ![KEK_PROVIDER, REDIS].contains(name))
        .map(str::to_owned)
        .collect()
}
