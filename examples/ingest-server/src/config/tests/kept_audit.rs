//! Where the audit log is kept and delivered to: nowhere that others can change, and over nothing of ours.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::*;
use crate::config::audit::AnchorPlace;

/// A data folder, an archive, a folder of anchors, and files of sinks and of a witness, for the owner alone.
struct Places(TempDir);

const WITNESS: &str = "keys = [\"witness.example/w1+9f274363+BM0Us3+VbpUxlP9/tzs9gdzFYdYadTgJS3w+GmQ+5fOq\"]\n\
                       submission = \"https://witness.example/\"\n";

impl Places {
    fn new() -> Self {
        let places = Self(tempfile::tempdir().unwrap());
        for folder in ["data", "audit", "audit/database", "archive", "anchors"] {
            fs::create_dir(places.path(folder)).unwrap();
            places.set(folder, 0o700);
        }
        let own = AnchorPlace::file_name(&"audit.example/a".parse().unwrap());
        for (file, text) in [
            ("audit/database/audit.db", ""),
            (&*format!("anchors/{own}"), ""),
            ("sinks.toml", "[sink]\n"),
            ("witness.toml", WITNESS),
        ] {
            fs::write(places.path(file), text).unwrap();
            places.set(file, 0o600);
        }
        places
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn set(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
    }

    fn load(&self, others: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let path = |name: &str| self.path(name).display().to_string();
        let anchors = format!("file:{},witness:{}", path("anchors"), path("witness.toml"));
        let given = [
            ("INGEST_DATA_DIR", path("data")),
            ("INGEST_AUDIT_DIR", path("audit")),
            ("INGEST_AUDIT_ORIGIN", "audit.example/a".to_owned()),
            (
                "INGEST_AUDIT_ARCHIVE",
                format!("file://{}", path("archive")),
            ),
            ("INGEST_AUDIT_ANCHORS", anchors),
            ("INGEST_AUDIT_SINKS", path("sinks.toml")),
        ];
        let mut pairs: Vec<_> = given.iter().map(|(name, text)| (*name, &**text)).collect();
        pairs.extend(others);
        load(&pairs)
    }

    fn message(&self, others: &[(&str, &str)]) -> String {
        let refused = self.load(others).err();
        refused.map(|error| error.to_string()).unwrap_or_default()
    }
}

#[test]
fn production_refuses_logs_and_copies_that_others_can_change_and_the_dev_profile_tells_them() {
    let places = Places::new();
    let production = [("INGEST_PROFILE", "production")];
    assert_eq!(places.message(&production), "");
    for (name, mode, setting) in [
        ("audit", 0o777, "INGEST_AUDIT_DIR"),
        ("audit", 0o750, "INGEST_AUDIT_DIR"),
        ("audit/database/audit.db", 0o777, "INGEST_AUDIT_DIR"),
        ("audit/database/audit.db", 0o640, "INGEST_AUDIT_DIR"),
        ("archive", 0o777, "INGEST_AUDIT_ARCHIVE"),
        ("archive", 0o720, "INGEST_AUDIT_ARCHIVE"),
        ("archive", 0o1777, "INGEST_AUDIT_ARCHIVE"),
        ("anchors", 0o777, "INGEST_AUDIT_ANCHORS"),
        (
            "anchors/audit%2eexample%2fa.checkpoint",
            0o666,
            "INGEST_AUDIT_ANCHORS",
        ),
        ("witness.toml", 0o666, "INGEST_AUDIT_ANCHORS"),
        ("sinks.toml", 0o666, "INGEST_AUDIT_SINKS"),
        ("sinks.toml", 0o620, "INGEST_AUDIT_SINKS"),
    ] {
        let before = fs::metadata(places.path(name)).unwrap().permissions();
        places.set(name, mode);
        let said = places.message(&production);
        let path = places.path(name).display().to_string();
        let tells = |of: &str, message: &str| {
            of == setting
                && message.contains("run `chmod ")
                && message.ends_with(&format!(" {path}`"))
        };
        let mut lines = said.lines().filter_map(|line| line.trim().split_once(": "));
        let is_told = lines.any(|(of, message)| tells(of, message));
        assert!(is_told, "{name} {mode:o}: {said}");
        let warnings = places.load(&[]).unwrap().warnings;
        let is_told = warnings.iter().any(|it| tells(&it.setting, &it.message));
        assert!(is_told, "{name} {mode:o}: {warnings:?}");
        fs::set_permissions(places.path(name), before).unwrap();
    }
    // Others may read what is no secret.
    for name in ["archive", "anchors", "witness.toml", "sinks.toml"] {
        places.set(name, 0o755);
    }
    assert_eq!(places.message(&production), "");
}

#[test]
fn nothing_is_delivered_over_a_file_of_the_service_or_of_another_sink() {
    let places = Places::new();
    symlink(places.path("data"), places.path("link")).unwrap();
    let sink = |name: &str, path: &Path| {
        let path = path.display();
        format!("[sink.{name}]\nkind = \"ocsf-file\"\npath = \"{path}\"\n")
    };
    let elsewhere = [
        ("INGEST_ERASURES_FILE", places.path("erased")),
        (
            "INGEST_DATABASE_URL",
            format!("sqlite://{}", places.path("db").display()).into(),
        ),
    ];
    let elsewhere = elsewhere.map(|(name, path)| (name, path.display().to_string()));
    let elsewhere = elsewhere
        .each_ref()
        .map(|(name, path)| (*name, path.as_str()));
    for (path, said) in [
        ("data/erasures.jsonl", "lies in the data folder"),
        ("link/lines", "lies in the data folder"),
        ("none/../data/lines", "lies in the data folder"),
        (
            "audit/server/log/checkpoint",
            "lies in the folder of the audit log",
        ),
        ("archive/lines", "lies in the archive"),
        ("anchors/lines", "lies in a folder of anchors"),
        ("", "is a folder; name a file in it"),
        ("lines/", "is a folder; name a file in it"),
        ("erased", "is another file of the service"),
        ("db", "is another file of the service"),
        ("db-wal", "is another file of the service"),
        ("sinks.toml", "is another file of the service"),
        ("lines", ""),
    ] {
        fs::write(places.path("sinks.toml"), sink("one", &places.path(path))).unwrap();
        let message = places.message(&elsewhere);
        if said.is_empty() {
            assert_eq!(message, "", "{path}");
        } else {
            let said = format!("INGEST_AUDIT_SINKS: the `path` of the sink `one` {said}");
            assert!(message.contains(&said), "{path}: {message}");
        }
    }
    let both = sink("one", &places.path("lines")) + &sink("two", &places.path("data/../lines"));
    fs::write(places.path("sinks.toml"), both).unwrap();
    let message = places.message(&elsewhere);
    let said = "the `path` of the sink `two` is that of `one` too";
    assert!(message.contains(said), "{message}");
}

#[test]
fn nothing_is_kept_in_the_folder_of_the_log_whatever_it_is_called() {
    let places = Places::new();
    symlink(places.path("audit"), places.path("link")).unwrap();
    for within in ["audit", "audit/kept", "link", "archive/../audit/kept"] {
        let path = places.path(within).display().to_string();
        let (archive, anchors) = (format!("file://{path}"), format!("file:{path}"));
        let message = places.message(&[
            ("INGEST_AUDIT_ARCHIVE", &archive),
            ("INGEST_AUDIT_ANCHORS", &anchors),
        ]);
        for said in [
            "INGEST_AUDIT_ARCHIVE: is in the folder of the audit log",
            "INGEST_AUDIT_ANCHORS: entry 1 is in the folder of the audit log",
        ] {
            assert!(message.contains(said), "{within}: {message}");
        }
    }
}
