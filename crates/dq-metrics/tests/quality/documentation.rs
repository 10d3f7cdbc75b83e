use portcullis_dq_metrics::{Catalogue, Reason};

/// Fails when `docs/data-quality.md` and the taxonomy differ; the head of the page says how to make
/// it anew.
#[test]
fn the_page_in_the_repository_is_the_taxonomy() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/data-quality.md");
    let page = std::fs::read_to_string(path).unwrap();
    for (made, written) in Catalogue.to_string().lines().zip(page.lines()) {
        assert_eq!(made, written);
    }
    assert_eq!(Catalogue.to_string(), page);
}

#[test]
fn the_page_has_a_row_for_every_reason() {
    let page = Catalogue.to_string();
    for reason in Reason::ALL {
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| `{reason}` |")))
            .unwrap();
        assert!(row.contains(reason.remediation()), "{row}");
        assert_eq!(
            row.matches('|').count(),
            7,
            "no text breaks the table: {row}"
        );
    }
}
