//! Files that entries are delivered to: none that the service has for itself, and each of one sink.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{AnchorPlace, ArchivePlace, AuditSink, Receiver};
use crate::{
    config::{database, origin::Origin, problems::Problems, settings, sources::Sources},
    files::real,
};

/// What the service has for itself, which lines would spoil.
#[derive(Debug)]
pub(super) struct Own {
    folders: Vec<(PathBuf, &'static str)>,
    files: Vec<PathBuf>,
}

impl Own {
    /// Of a data folder, and a folder of logs.
    pub(super) fn new(sources: &Sources, data_dir: &Path, logs: &Path) -> Self {
        let folders = [
            (data_dir, "the data folder"),
            (logs, "the folder of the audit log"),
        ];
        let named = [
            settings::ERASURES_FILE,
            settings::AUDIT_SINKS,
            settings::DETECTION_FILE,
            settings::LIMITS_FILE,
        ]
        .into_iter()
        .filter_map(|setting| sources.value(setting));
        let secrets =
            settings::secrets().filter_map(|secret| sources.variable(&secret.file_variable()));
        let mut files: Vec<_> = named
            .chain(secrets)
            .map(|given| PathBuf::from(given.text))
            .collect();
        // What is wrong with it is told elsewhere.
        let database = database::read(sources, data_dir, &mut Problems::default());
        if let Some(file) = database.as_ref().and_then(database::Database::file) {
            for beside in ["", "-wal", "-shm", "-marker"] {
                let mut name = file.as_os_str().to_owned();
                name.push(beside);
                files.push(name.into());
            }
        }
        Self {
            folders: folders.map(|(folder, what)| (real(folder), what)).into(),
            files: files.iter().map(|file| real(file)).collect(),
        }
    }

    /// Beside where logs and their checkpoints are kept.
    pub(super) fn kept(
        mut self,
        anchors: Option<&[AnchorPlace]>,
        archive: Option<&ArchivePlace>,
    ) -> Self {
        for place in anchors.into_iter().flatten() {
            if let AnchorPlace::Folder(folder) = place {
                self.folders.push((real(folder), "a folder of anchors"));
            }
        }
        if let Some(ArchivePlace::Folder(folder)) = archive {
            self.folders.push((real(folder), "the archive"));
        }
        self
    }

    /// Tells each sink that has a file of this kind, or a file of another sink.
    pub(super) fn check(&self, sinks: &[AuditSink], origin: &Origin, problems: &mut Problems) {
        let mut taken = BTreeMap::new();
        for AuditSink { name, receiver } in sinks {
            let Receiver::OcsfFile(path) = receiver else {
                continue;
            };
            let real = real(path);
            let wrong = self
                .wrong(path, &real)
                .or_else(|| Some(format!("is that of `{}` too", taken.get(&real)?)));
            if let Some(wrong) = wrong {
                problems.add(origin, format!("the `path` of the sink `{name}` {wrong}"));
            }
            taken.insert(real, name);
        }
    }

    fn wrong(&self, path: &Path, real: &Path) -> Option<String> {
        if path.as_os_str().as_encoded_bytes().ends_with(b"/") || real.is_dir() {
            return Some("is a folder; name a file in it".to_owned());
        }
        let mut folders = self.folders.iter();
        if let Some((_, what)) = folders.find(|(folder, _)| real.starts_with(folder)) {
            return Some(format!(
                "lies in {what}, where the service alone writes; name a file elsewhere"
            ));
        }
        let is_own = self.files.iter().any(|file| file == real);
        is_own.then(|| "is another file of the service; name one of its own".to_owned())
    }
}
