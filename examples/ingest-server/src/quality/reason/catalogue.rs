//! `docs/data-quality.md`: a head, and the reasons as a catalogue.

use std::{env, fs, path::Path};

use portcullis_dq_metrics::Catalogue;

use super::Reason;

const HEAD: &str = "\
# Data quality: outcomes and reasons

<!-- Made from the reasons in examples/ingest-server/src/quality/reason.rs. Do not edit; run
     UPDATE_DOCS=1 cargo test -p ingest-server catalogue -->

Every event, and every request refused before its events were known, ends in exactly one outcome:
accepted, modified (stored with undeclared personal data sealed in place, which counts against validity),
duplicate (natural or conflicting), rate limited, rejected with one of the reasons below, or lost. `filtered`, which
means left out on purpose, is in the list of outcomes too: no rule of this service does that, so it has no series.
Once nothing is in flight, `received = Σ outcomes`; the metric `dq_unaccounted` shows the difference.

**Counts against** is the dimension of the quality score that a rejection lowers; where there is none,
the rejection says nothing about the data. **Severity**: *info* is ordinary on an open network,
*warning* asks a sender to change something, *error* means that wanted data is being lost, *critical*
means that the service fails or a privacy rule was broken. **Alert** says when a rejection deserves
attention: *each* marks a bug or an infrastructure problem, *rate* an ordinary refusal of which only
an unusual number matters.
";

const REMAKE: &str = "make it again: UPDATE_DOCS=1 cargo test -p ingest-server --lib catalogue";

/// Fails when `docs/data-quality.md` and the reasons differ; with `UPDATE_DOCS` set, writes the page.
#[test]
fn the_page_in_the_repository_is_the_catalogue() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/data-quality.md");
    let made = format!("{HEAD}{}", Catalogue::<Reason>::new());
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let page = fs::read_to_string(path).unwrap();
    for (made, written) in made.lines().zip(page.lines()) {
        assert_eq!(made, written, "{REMAKE}");
    }
    assert_eq!(made, page, "{REMAKE}");
}

#[test]
fn no_text_breaks_the_table() {
    let page = Catalogue::<Reason>::new().to_string();
    for row in page.lines().filter(|line| line.starts_with('|')) {
        assert_eq!(row.matches('|').count(), 7, "{row}");
    }
}
