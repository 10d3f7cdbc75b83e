//! A witness: somebody else who signs each checkpoint that only adds to the one before.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use portcullis_audit_log::{
    export::Endpoint,
    note::{SignatureType, VerifyingKey},
};
use secrecy::SecretString;
use toml::de::DeTable;

use super::super::{
    members::{Members, Wrong, document},
    reach::{Reach, authorization, endpoint, optional_endpoint},
};
use crate::files::{FilePolicy, PolicyFile};

/// How a witness is reached, and what its signatures are verified with.
#[derive(Debug)]
pub(crate) struct Witness {
    /// That of its first key.
    pub(crate) name: String,
    /// Of type 04, at least one.
    pub(crate) keys: Vec<VerifyingKey>,
    /// `/add-checkpoint` follows it.
    pub(crate) submission: Endpoint,
    /// Where it publishes what it has signed.
    pub(crate) monitoring: Option<Endpoint>,
    /// The value of `Authorization`.
    pub(crate) authorization: Option<SecretString>,
    pub(crate) reach: Reach,
}

/// A witness that an operator gave.
#[derive(Debug)]
pub(super) struct GivenWitness {
    pub(super) witness: Witness,
    /// The files that hold its secrets.
    pub(super) secret_files: Vec<PathBuf>,
}

const KEY: &str = "must be keys of a witness as it publishes them: a name, `+`, 8 digits, `+`, and a key of type 04";

impl GivenWitness {
    /// Reads the file of one.
    pub(super) fn read(file: &Path) -> Result<Self, String> {
        let file = PolicyFile::new(file);
        file.policy(&file.text()).map_err(|error| error.to_string())
    }
}

impl FilePolicy for GivenWitness {
    fn from_text(text: &[u8]) -> Result<Self, String> {
        document(text, read)
    }
}

fn read(table: &DeTable<'_>) -> Result<GivenWitness, Wrong> {
    let mut members = Members::new(table, 0);
    let mut secret_files = Vec::new();
    let mut keys = Vec::new();
    for text in members.texts("keys")? {
        let key: VerifyingKey = text.value.parse().map_err(|_| text.wrong(KEY))?;
        if key.kind() != SignatureType::CosignatureV1 {
            return Err(text.wrong(KEY));
        }
        keys.push(key);
    }
    let name = keys.first().map(|key| key.name().to_string());
    let name = name.ok_or_else(|| Wrong::at(0, "`keys` is missing"))?;
    let witness = Witness {
        name,
        keys,
        submission: endpoint(&mut members, "submission")?,
        monitoring: optional_endpoint(&mut members, "monitoring")?,
        authorization: authorization(&mut members, &mut secret_files)?,
        reach: Reach::read(&mut members)?,
    };
    members.end("a witness")?;
    if witness.has_two_names() {
        return Err(Wrong::at(
            0,
            "`keys` must be of one witness: they have more than one name",
        ));
    }
    Ok(GivenWitness {
        witness,
        secret_files,
    })
}

impl Witness {
    fn has_two_names(&self) -> bool {
        let names: BTreeSet<_> = self.keys.iter().map(|key| key.name().as_str()).collect();
        names.len() > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &str = r#"keys = ["witness.example/w1+9f274363+BM0Us3+VbpUxlP9/tzs9gdzFYdYadTgJS3w+GmQ+5fOq"]
"#;
    const LOG_KEY: &str =
        "portcullis.example/audit+beeb02ba+ARdFU7RW3d/GkI7KscEB/mqyHiuqBhd5W31DpjSCmT/V";

    fn told(text: &str) -> String {
        match GivenWitness::from_text(text.as_bytes()) {
            Ok(given) => format!("{} {:?}", given.witness.name, given.witness.submission),
            Err(error) => error,
        }
    }

    #[test]
    fn a_witness_has_a_key_and_where_checkpoints_are_sent_to() {
        let https = "submission = \"https://witness.example/submit/\"\n";
        let http = "submission = \"http://127.0.0.1:8/\"\n";
        let both = "monitoring = \"https://witness.example/\"\nnetworks = [\"127.0.0.0/8\"]\n";
        for (text, expected) in [
            (
                format!("{KEYS}{https}{both}"),
                "witness.example/w1 Endpoint(https://witness.example/…)",
            ),
            (
                format!("{KEYS}{http}cleartext = true\n"),
                "witness.example/w1 Endpoint(http://127.0.0.1:8/…)",
            ),
            (
                format!("{KEYS}{http}"),
                "line 2: `submission` cannot be used",
            ),
            (KEYS.to_owned(), "`submission` is missing"),
            (https.to_owned(), "`keys` is missing"),
            (format!("keys = []\n{https}"), "`keys` is missing"),
            (format!("keys = [\"{LOG_KEY}\"]\n{https}"), "key of type 04"),
            (
                format!("keys = [\"canary7Q\"]\n{https}"),
                "line 1: `keys` must be keys of a witness",
            ),
            (
                format!("{KEYS}{https}secret = \"canary7Q\"\n"),
                "line 3: is nothing that a witness has",
            ),
            (
                format!("{KEYS}{https}authorization_file = \"relative\"\n"),
                "must be an absolute path",
            ),
        ] {
            let told = told(&text);
            assert!(told.contains(expected), "{text}{told}");
            assert!(!told.contains("canary7Q"), "{told}");
        }
    }
}
