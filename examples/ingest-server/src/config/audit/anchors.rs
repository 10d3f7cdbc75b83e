//! Where checkpoints of the audit log are kept beside it.

use std::{fmt, path::PathBuf};

use portcullis_audit_log::note::KeyName;

use crate::config::{given::Given, problems::Problems, settings, sources::Sources};

/// A place that keeps the latest checkpoint of each log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AnchorPlace {
    /// A row in the database of the service.
    Database,
    /// A file in a folder that is there, as of another disk or a share.
    Folder(PathBuf),
}

const FILE: &str = "file:";

impl AnchorPlace {
    fn parse(text: &str) -> Result<Self, &'static str> {
        if text == "database" {
            return Ok(Self::Database);
        }
        let folder = text.strip_prefix(FILE).map(PathBuf::from);
        match folder {
            Some(folder) if folder.is_absolute() => Ok(Self::Folder(folder)),
            _ => Err("must be `database` or `file:` and the absolute path of a folder"),
        }
    }

    /// The file in such a folder that is of the log of that name.
    pub(crate) fn file_name(origin: &KeyName) -> String {
        let mut name = String::new();
        for byte in origin.as_str().bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(byte.into()),
                // Points too, as none may lead elsewhere.
                _ => name.push_str(&format!("%{byte:02x}")),
            }
        }
        name + ".checkpoint"
    }
}

impl fmt::Display for AnchorPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database => f.write_str("database"),
            Self::Folder(folder) => write!(f, "{FILE}{}", folder.display()),
        }
    }
}

/// What is left of the 255 bytes of a name of a file for what stands behind the name of the log.
const MOST_NAME: usize = 200;

/// Reads the list, for logs in a folder of this name.
pub(super) fn read(
    sources: &Sources,
    logs: &std::path::Path,
    origin: Option<&KeyName>,
    problems: &mut Problems,
) -> Option<Vec<AnchorPlace>> {
    let Given { text, origin: from } = sources.value(settings::AUDIT_ANCHORS)?;
    if text.trim() == "none" {
        return Some(Vec::new());
    }
    let mut places = Vec::new();
    for (index, text) in text.split(',').enumerate() {
        let number = index + 1;
        let place = match AnchorPlace::parse(text.trim()) {
            Ok(place) => place,
            Err(expected) => {
                problems.add(&from, format!("entry {number} {expected}"));
                continue;
            }
        };
        if places.contains(&place) {
            problems.add(&from, format!("entry {number} stands there twice"));
        }
        if let AnchorPlace::Folder(folder) = &place {
            if folder.starts_with(logs) {
                let message =
                    "is in the folder of the audit log: who puts that back puts both back";
                problems.add(&from, format!("entry {number} {message}"));
            } else if !folder.is_dir() {
                let message = "is no folder that is there: nothing is kept in it until it is";
                problems.warn(&from, format!("entry {number} {message}"));
            }
            if origin.is_some_and(|origin| AnchorPlace::file_name(origin).len() > MOST_NAME) {
                let message = "cannot have a file for a log of so long a name";
                problems.add(&from, format!("entry {number} {message}"));
            }
        }
        places.push(place);
    }
    Some(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_database_or_a_folder_from_the_root() {
        let folder = AnchorPlace::Folder("/mnt/anchor".into());
        assert_eq!(AnchorPlace::parse("database"), Ok(AnchorPlace::Database));
        assert_eq!(AnchorPlace::parse("file:/mnt/anchor"), Ok(folder.clone()));
        assert_eq!(folder.to_string(), "file:/mnt/anchor");
        for other in [
            "",
            "file",
            "file:",
            "file:anchor",
            "/mnt/anchor",
            "Database",
        ] {
            assert!(AnchorPlace::parse(other).is_err(), "{other}");
        }
    }

    #[test]
    fn each_log_has_a_file_of_its_own_in_the_folder() {
        for (origin, file) in [
            (
                "ingest.example/audit",
                "ingest%2eexample%2faudit.checkpoint",
            ),
            ("a/b", "a%2fb.checkpoint"),
            ("a%2fb", "a%252fb.checkpoint"),
            ("..", "%2e%2e.checkpoint"),
            ("é", "%c3%a9.checkpoint"),
        ] {
            let origin: KeyName = origin.parse().unwrap();
            assert_eq!(AnchorPlace::file_name(&origin), file);
        }
    }
}
