//! The taxonomy as a page for people.

use std::fmt;

use super::{Reason, Stage};

/// The page `docs/data-quality.md`, made from the taxonomy.
///
/// A test fails when the page in the repository differs.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "it has nothing to add: the taxonomy is its content"
)]
pub struct Catalogue;

const HEAD: &str = "\
# Data quality: outcomes and reasons

<!-- Made from the taxonomy in crates/dq-metrics/src/reason/taxonomy.rs. Do not edit; run
     cargo run -p portcullis-dq-metrics --example catalogue > docs/data-quality.md -->

Every event, and every request refused before its events were known, ends in exactly one outcome:
accepted, modified, filtered, duplicate (natural or conflicting), rate limited, rejected with one of
the reasons below, or lost. Once nothing is in flight, `received = Σ outcomes`; the metric
`dq_unaccounted` shows the difference.

**Counts against** is the dimension of the quality score that a rejection lowers; where there is none,
the rejection says nothing about the data. **Severity**: *info* is ordinary on an open network,
*warning* asks a sender to change something, *error* means that wanted data is being lost, *critical*
means that the service fails or a privacy rule was broken. **Alert** says when a rejection deserves
attention: *each* marks a bug or an infrastructure problem, *rate* an ordinary refusal of which only
an unusual number matters.
";

// === impl Catalogue ===

impl fmt::Display for Catalogue {
    fn fmt(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        page.write_str(HEAD)?;
        Stage::ALL
            .into_iter()
            .try_for_each(|stage| write_stage(page, stage))
    }
}

fn write_stage(page: &mut fmt::Formatter<'_>, stage: Stage) -> fmt::Result {
    writeln!(page, "\n## {stage}\n")?;
    writeln!(
        page,
        "| reason | meaning | counts against | severity | alert | what to do |"
    )?;
    writeln!(page, "|---|---|---|---|---|---|")?;
    for reason in Reason::ALL
        .into_iter()
        .filter(|reason| reason.stage() == stage)
    {
        let dimension = reason
            .dimension()
            .map_or("none", |dimension| dimension.as_str());
        let alert = if reason.is_unexpected() {
            "each"
        } else {
            "rate"
        };
        writeln!(
            page,
            "| `{reason}` | {} | {dimension} | {} | {alert} | {} |",
            reason.meaning(),
            reason.severity(),
            reason.remediation(),
        )?;
    }
    Ok(())
}
