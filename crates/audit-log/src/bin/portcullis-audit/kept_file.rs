//! The checkpoint that somebody keeps.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use portcullis_audit_log::{
    checkpoint::{Checkpoint, Policy, SignedCheckpoint},
    note::MAX_NOTE_BYTES,
};

use super::Failure;

/// A file with the last checkpoint that was found sound.
#[derive(Debug)]
pub(super) struct KeptFile<'a> {
    path: &'a Path,
    kept: Option<SignedCheckpoint>,
}

impl<'a> KeptFile<'a> {
    /// Reads the file, if it is there.
    pub(super) fn read(path: &'a Path, policy: &Policy) -> Result<Self, Failure> {
        let bytes = read_note(path).map_err(cannot(path, "read"))?;
        let kept = bytes.map(|bytes| policy.open(&bytes)).transpose();
        let kept = kept.map_err(|source| Failure::Kept {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self { path, kept })
    }

    pub(super) fn checkpoint(&self) -> Option<&Checkpoint> {
        self.kept.as_ref().map(SignedCheckpoint::checkpoint)
    }

    /// Puts a checkpoint in its place, whole or not at all.
    pub(super) fn replace(&self, signed: &SignedCheckpoint) -> Result<(), Failure> {
        let kept = self.kept.as_ref().map(SignedCheckpoint::note);
        if kept == Some(signed.note()) {
            return Ok(());
        }
        let bytes = signed.note().to_string();
        write(self.path, bytes.as_bytes()).map_err(cannot(self.path, "written"))
    }
}

/// One byte more than a note has, of what is none.
fn read_note(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let limit = u64::try_from(MAX_NOTE_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    // Of this process alone, so that two at once do not write one file.
    draft.push(format!(".{}.new", std::process::id()));
    let draft = PathBuf::from(draft);
    let written = File::create(&draft).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let placed = written.and_then(|()| fs::rename(&draft, path));
    if placed.is_err() {
        // It is the one that failed that is told.
        let _ = fs::remove_file(&draft);
        return placed;
    }
    sync_folder(path)
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn cannot(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> Failure {
    move |source| Failure::KeptFile {
        path: path.to_owned(),
        doing,
        source,
    }
}
