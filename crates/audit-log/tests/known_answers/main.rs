//! What a second implementation, in Python, made of the same inputs, and Go's `golang.org/x/mod/sumdb` then accepted.
//!
//! These answers must never be changed. A log outlives the program that wrote it: code that no longer gives them cannot
//! check what lies in archives, and what it writes cannot be checked by anyone else.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod frame;
mod leaves;
mod log;
mod notes;
mod tiles;

use portcullis_audit_log::{event::Leaf, tree::TreeHash};

use self::log::{leaf, personal};

/// The first leaf, as the format is written down.
const LEAF_0: &str = r#"{"v":1,"n":0,"tn":0,"id":"0198c0de-0000-7000-8000-000000000000","time":"2026-01-02T03:04:05.678901Z","tenant":"tenant-7","action":"lead.read","activity":"read","actor":{"type":"api_key","id":"k7Qm2ZpX"},"resources":[{"type":"lead","id":"0198c0de-0000-7000-8000-0000000000aa"}],"count":1,"fields":["lead.email","lead.phone"],"reason":{"code":"support","ref":"T-1042"},"outcome":"success","delivery":"must","trace":"4bf92f3577b34da6a3ce929d0e0e4736","span":"00f067aa0ba902b7","node":"a","personal":"Xy7OS1rx35-NECy0ym9_5UCiZdZj9ttYKUXE8q7V550"}"#;

fn hash(hex: &str) -> TreeHash {
    TreeHash::from_bytes(hex::decode(hex).unwrap().try_into().unwrap())
}
