//! A taxonomy as a page for people.

use std::{fmt, marker::PhantomData};

use super::{Facts, Reason};

/// The reasons of a taxonomy as Markdown, by `Display`: one table for each stage, in the order of
/// [`Reason::ALL`].
///
/// Write it below a head of your own into the documentation, and let a test compare the two.
#[derive(Clone, Copy, Debug)]
pub struct Catalogue<R>(PhantomData<R>);

impl<R: Reason> Catalogue<R> {
    /// The catalogue of the taxonomy `R`.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<R: Reason> Default for Catalogue<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: Reason> fmt::Display for Catalogue<R> {
    fn fmt(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut stage = None;
        for facts in R::ALL.iter().map(|reason| reason.facts()) {
            if stage.replace(facts.stage()) != Some(facts.stage()) {
                write_head(page, facts.stage())?;
            }
            write_row(page, &facts)?;
        }
        Ok(())
    }
}

fn write_head(page: &mut fmt::Formatter<'_>, stage: &str) -> fmt::Result {
    writeln!(page, "\n## {stage}\n")?;
    writeln!(
        page,
        "| reason | meaning | counts against | severity | alert | what to do |"
    )?;
    writeln!(page, "|---|---|---|---|---|---|")
}

fn write_row(page: &mut fmt::Formatter<'_>, facts: &Facts) -> fmt::Result {
    let Facts {
        name,
        meaning,
        remediation,
        severity,
        ..
    } = facts;
    let dimension = facts
        .dimension
        .map_or("none", |dimension| dimension.as_str());
    let alert = if facts.is_unexpected { "each" } else { "rate" };
    writeln!(
        page,
        "| `{name}` | {meaning} | {dimension} | {severity} | {alert} | {remediation} |"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;

    #[test]
    fn every_reason_has_a_row_below_its_stage() {
        let page = Catalogue::<Fault>::new().to_string();
        let mut stage = "";
        let mut rows = Vec::new();
        for line in page.lines() {
            if let Some(heading) = line.strip_prefix("## ") {
                stage = heading;
            } else if let Some(row) = line.strip_prefix("| `") {
                rows.push((stage, row));
            }
        }
        assert_eq!(rows.len(), Fault::ALL.len());
        for (fault, (stage, row)) in Fault::ALL.iter().zip(rows) {
            let facts = fault.facts();
            assert_eq!(stage, facts.stage());
            assert!(row.starts_with(facts.name) && row.contains(facts.remediation));
            assert_eq!(
                row.matches('|').count(),
                6,
                "no text breaks the table: {row}"
            );
        }
    }
}
