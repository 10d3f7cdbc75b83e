//! `portcullis-audit`, as somebody runs it who has a folder or a URL, and a public key.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod document;
#[path = "../server_verifiers/folder.rs"]
mod folder;
mod folders;
mod kept;
mod program;
mod served;
mod web;
