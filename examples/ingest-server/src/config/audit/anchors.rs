//! Where checkpoints of the audit log are kept beside it.

mod witness;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use portcullis_audit_log::note::KeyName;

use self::witness::GivenWitness;
use super::secret_files;
use crate::{
    config::{given::Given, problems::Problems, profile::Profile, settings, sources::Sources},
    files,
};

pub(crate) use self::witness::Witness;

/// A place that keeps the latest checkpoint of each log.
#[derive(Debug, Clone)]
pub(crate) enum AnchorPlace {
    /// A row in the database of the service.
    Database,
    /// A file in a folder that is there, as of another disk or a share.
    Folder(PathBuf),
    /// Somebody else, who signs it too.
    Witness(Arc<Witness>),
    /// The archive of the log.
    Archive,
}

/// The files that are read for a list.
#[derive(Debug, Default)]
struct Files {
    witnesses: Vec<PathBuf>,
    secrets: Vec<PathBuf>,
}

const FILE: &str = "file:";
const WITNESS: &str = "witness:";
const ARCHIVE: &str = "archive";
const EXPECTED: &str = "must be `database`, `archive`, `file:` and the absolute path of a folder, or `witness:` and the \
                        absolute path of a file";

impl AnchorPlace {
    /// Reads an entry. What a witness is reached with is in a file, whose secrets are in others.
    fn parse(text: &str, files: &mut Files) -> Result<Self, String> {
        match text {
            "database" => return Ok(Self::Database),
            ARCHIVE => return Ok(Self::Archive),
            _ => {}
        }
        let path = |prefix| text.strip_prefix(prefix).map(Path::new);
        match (path(FILE), path(WITNESS)) {
            (Some(folder), _) if folder.is_absolute() => Ok(Self::Folder(folder.to_owned())),
            (_, Some(file)) if file.is_absolute() => {
                let given = GivenWitness::read(file)?;
                files.secrets.extend(given.secret_files);
                files.witnesses.push(file.to_owned());
                Ok(Self::Witness(Arc::new(given.witness)))
            }
            _ => Err(EXPECTED.to_owned()),
        }
    }

    /// Whether it is asked over a network that may be away: a command does not wait for that.
    pub(crate) const fn is_remote(&self) -> bool {
        matches!(self, Self::Witness(_) | Self::Archive)
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
            Self::Witness(witness) => f.write_str(&witness.name),
            Self::Archive => f.write_str(ARCHIVE),
        }
    }
}

/// They are the same if they are called the same.
impl PartialEq for AnchorPlace {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

/// What is left of the 255 bytes of a name of a file for what stands behind the name of the log.
const MOST_NAME: usize = 200;

/// Reads the list, for logs in a folder of this name.
pub(super) fn read(
    sources: &Sources,
    profile: Profile,
    logs: &Path,
    origin: Option<&KeyName>,
    problems: &mut Problems,
) -> Option<Vec<AnchorPlace>> {
    let Given { text, origin: from } = sources.value(settings::AUDIT_ANCHORS)?;
    if text.trim() == "none" {
        return Some(Vec::new());
    }
    let (mut places, mut read) = (Vec::new(), Files::default());
    for (index, text) in text.split(',').enumerate() {
        let number = index + 1;
        let place = match AnchorPlace::parse(text.trim(), &mut read) {
            Ok(place) => place,
            Err(expected) => {
                problems.add(&from, format!("entry {number} {expected}"));
                continue;
            }
        };
        if places.contains(&place) {
            problems.add(&from, format!("entry {number} stands there twice"));
        }
        if place == AnchorPlace::Archive && sources.given(settings::AUDIT_ARCHIVE).is_none() {
            let message = format!("needs {}", settings::AUDIT_ARCHIVE.variable);
            problems.add(&from, format!("entry {number} {message}"));
        }
        if let AnchorPlace::Folder(folder) = &place {
            if files::real(folder).starts_with(files::real(logs)) {
                let message =
                    "is in the folder of the audit log: who puts that back puts both back";
                problems.add(&from, format!("entry {number} {message}"));
            } else if !folder.is_dir() {
                let message = "is no folder that is there: nothing is kept in it until it is";
                problems.warn(&from, format!("entry {number} {message}"));
            }
            for message in exposed(folder, origin) {
                problems.add_as(profile.danger(), &from, message);
            }
            if origin.is_some_and(|origin| AnchorPlace::file_name(origin).len() > MOST_NAME) {
                let message = "cannot have a file for a log of so long a name";
                problems.add(&from, format!("entry {number} {message}"));
            }
        }
        places.push(place);
    }
    secret_files(&read.secrets, profile, &from, problems);
    // Who can change whose signature counts can have another sign.
    for file in &read.witnesses {
        let found = files::of_changeable_file(file).into_iter();
        for message in found.chain(files::of_parents(file)) {
            problems.add_as(profile.danger(), &from, message);
        }
    }
    Some(places)
}

/// Who else can put an old checkpoint into a folder.
fn exposed(folder: &Path, origin: Option<&KeyName>) -> Vec<String> {
    let mut found = files::of_changeable_folder(folder);
    let file = origin.map(|origin| folder.join(AnchorPlace::file_name(origin)));
    found.extend(file.iter().flat_map(|file| files::of_changeable_file(file)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_database_the_archive_or_a_path_from_the_root() {
        let folder = AnchorPlace::Folder("/mnt/anchor".into());
        let parse = |text| AnchorPlace::parse(text, &mut Files::default());
        assert_eq!(parse("database"), Ok(AnchorPlace::Database));
        assert_eq!(parse("archive"), Ok(AnchorPlace::Archive));
        assert_eq!(parse("file:/mnt/anchor"), Ok(folder.clone()));
        assert_eq!(folder.to_string(), "file:/mnt/anchor");
        for other in [
            "",
            "file",
            "file:",
            "file:anchor",
            "/mnt/anchor",
            "Database",
            "witness:",
            "witness:w.toml",
            "witness:/nowhere/w.toml",
        ] {
            assert!(parse(other).is_err(), "{other}");
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
