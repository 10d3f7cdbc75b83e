//! Prints the catalogue of outcomes and reasons, `docs/data-quality.md`.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    io::stdout().write_all(portcullis_dq_metrics::Catalogue.to_string().as_bytes())
}
