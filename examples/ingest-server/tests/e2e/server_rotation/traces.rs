//! What a database holds of people, as bytes that can be looked for in its files.

use std::{fs, process::Command};

use aho_corasick::AhoCorasick;
use sqlx::Row as _;

use crate::harness::Data;

/// Bytes that open to values of leads, or that a guess of them can be compared with.
#[derive(Debug, Default)]
pub(super) struct Traces {
    bytes: Vec<Vec<u8>>,
}

/// Everything that a lead has of personal data, each beside the version of its key or the id.
const QUERIES: [&str; 4] = [
    "SELECT email_enc, phone_enc, name_enc, email_fp, phone_fp FROM lead WHERE id = ?",
    "SELECT value FROM lead_index WHERE lead = ? AND \"index\" = 'identity'",
    "SELECT content_fp FROM event WHERE lead = ? AND has_sealed = 1",
    "SELECT CAST(value AS BLOB) FROM event, json_tree(event.payload)
     WHERE lead = ? AND has_sealed = 1 AND atom LIKE 'pc1.%'",
];

impl Traces {
    /// Adds those of a lead as of now.
    pub(super) async fn add(&mut self, data: &Data, lead: &str) {
        let mut database = data.connect().await;
        let before = self.bytes.len();
        for query in QUERIES {
            let rows = sqlx::query(query).bind(lead);
            for row in rows.fetch_all(&mut database).await.unwrap() {
                for column in 0..row.len() {
                    let value: Option<Vec<u8>> = row.get(column);
                    self.bytes.extend(value);
                }
            }
        }
        assert!(
            self.bytes.len() >= before + 8,
            "{lead} leaves few traces: {}",
            self.bytes.len() - before
        );
    }

    pub(super) fn extend(&mut self, others: Self) {
        self.bytes.extend(others.bytes);
    }

    /// How many of them there are, and how many places in the database and its log have one.
    pub(super) fn count(&self, data: &Data) -> (usize, usize) {
        assert!(self.bytes.iter().all(|it| it.len() >= 16), "{self:?}");
        let searcher = AhoCorasick::new(&self.bytes).unwrap();
        let mut found = 0;
        for name in ["ingest.db", "ingest.db-wal"] {
            let path = data.path().join(name);
            // Another process reads it: closing the file here would end the locks that this one has on it.
            let copy = Command::new("cat").arg(&path).output().unwrap();
            if copy.status.success() {
                let places = searcher.find_overlapping_iter(&copy.stdout);
                let places: Vec<_> = places.map(|it| (it.pattern(), it.start())).collect();
                // Where nothing should be left, each place is worth to be looked at.
                if places.len() < 50 {
                    for (trace, at) in &places {
                        let bytes = self.bytes[trace.as_usize()].len();
                        eprintln!("{name}: {bytes} bytes at {at}");
                    }
                }
                found += places.len();
            } else {
                assert!(
                    fs::exists(&path).is_ok_and(|is_there| !is_there),
                    "{copy:?}"
                );
            }
        }
        (self.bytes.len(), found)
    }
}
