//! The program, and logs for it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use portcullis_audit_log::{
    checkpoint::Checkpoint,
    event::Timestamp,
    note::{CosigningKey, SignedNote, SigningKey},
};
use secrecy::SecretBox;
use tempfile::TempDir;

use super::folder;

/// What it said, and its exit code.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A log in a folder, and its key.
pub(crate) struct Log {
    dir: TempDir,
}

pub(crate) fn run(arguments: &[&str]) -> Said {
    run_with(arguments, &[])
}

pub(crate) fn run_with(arguments: &[&str], variables: &[(&str, &str)]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis-audit"));
    // What is on the way to servers elsewhere is none of the test's business.
    for proxy in [
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ] {
        command.env_remove(proxy);
    }
    let output = command
        .args(arguments)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Log {
    pub(crate) fn of(size: u64) -> Self {
        let dir = folder::write(size, &[], &[]);
        Self { dir }
    }

    /// By who has the key: entry 1 is another.
    pub(crate) fn rewritten(size: u64) -> Self {
        let leaf = |n| {
            let leaf = String::from_utf8(folder::leaf(n)).unwrap();
            let other = leaf.replace("lead.read", "lead.list");
            if n == 1 { other } else { leaf }.into_bytes()
        };
        let dir = folder::write_of(leaf, size, &[], &[]);
        Self { dir }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn vkey(&self) -> String {
        fs::read_to_string(self.dir.path().join("vkey")).unwrap()
    }

    /// A command on the folder, with its key.
    pub(crate) fn run(&self, command: &str, more: &[&str]) -> Said {
        self.run_at(command, self.path().to_str().unwrap(), more)
    }

    /// The same somewhere else.
    pub(crate) fn run_at(&self, command: &str, at: &str, more: &[&str]) -> Said {
        let vkey = self.vkey();
        run(&[&[command, at, "--vkey", &vkey], more].concat())
    }

    /// Changes a byte.
    pub(crate) fn flip(&self, name: &str, at: usize) {
        let mut bytes = fs::read(self.file(name)).unwrap();
        bytes[at] ^= 1;
        fs::write(self.file(name), bytes).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.file(name)).unwrap();
    }

    /// Has another key of the log sign the checkpoint as well; gives its vkey.
    pub(crate) fn signed_by_another(&self) -> String {
        let vkey = self.vkey();
        let (name, _) = vkey.split_once('+').unwrap();
        let seed = SecretBox::new(Box::new([10; 32]));
        let key = SigningKey::from_seed(name.parse().unwrap(), &seed).unwrap();
        let text = fs::read_to_string(self.file("checkpoint")).unwrap();
        let (body, _) = text.split_once("\n\n").unwrap();
        let note = SignedNote::parse(text.as_bytes()).unwrap();
        let note = note.with_signature(key.sign(&format!("{body}\n"))).unwrap();
        fs::write(self.file("checkpoint"), note.to_string()).unwrap();
        key.verifying_key().to_string()
    }

    /// Has a witness sign the checkpoint; gives its vkey.
    pub(crate) fn cosigned_by(&self, name: &str) -> String {
        let key = witness(name);
        let text = fs::read_to_string(self.file("checkpoint")).unwrap();
        let (body, _) = text.split_once("\n\n").unwrap();
        let checkpoint = Checkpoint::parse(&format!("{body}\n")).unwrap();
        let at = Timestamp::from_unix_micros(1_700_000_000_000_000).unwrap();
        let note = SignedNote::parse(text.as_bytes()).unwrap();
        let note = note.with_signature(key.cosign(&checkpoint, at)).unwrap();
        fs::write(self.file("checkpoint"), note.to_string()).unwrap();
        key.verifying_key().to_string()
    }
}

pub(crate) fn witness(name: &str) -> CosigningKey {
    let seed = SecretBox::new(Box::new([9; 32]));
    CosigningKey::from_seed(name.parse().unwrap(), &seed).unwrap()
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
}
