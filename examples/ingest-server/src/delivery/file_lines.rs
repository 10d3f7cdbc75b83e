//! Lines in a file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use bytes::Bytes;
use portcullis_audit_log::sink::{LineWriter, TransportError};
use tokio::{sync::Mutex, task::spawn_blocking};

/// Appends to a file for its owner and group, and syncs it. A file that was moved away, as to rotate it, is made again.
#[derive(Debug)]
pub(super) struct FileLines {
    path: PathBuf,
    /// None while it is written to, and after an error.
    file: Mutex<Option<File>>,
}

impl FileLines {
    /// At this path, in a folder that is there.
    pub(super) const fn new(path: PathBuf) -> Self {
        Self {
            path,
            file: Mutex::const_new(None),
        }
    }
}

#[async_trait]
impl LineWriter for FileLines {
    async fn write(&self, lines: Bytes) -> Result<(), TransportError> {
        let mut file = self.file.lock().await;
        let (path, kept) = (self.path.clone(), file.take());
        let written = spawn_blocking(move || append(&path, kept, &lines)).await;
        let written = written.map_err(TransportError::unreachable)?;
        *file = Some(written.map_err(TransportError::unreachable)?);
        Ok(())
    }
}

fn append(path: &Path, kept: Option<File>, lines: &[u8]) -> io::Result<File> {
    let mut file = match kept {
        Some(file) if is_at(&file, path)? => file,
        _ => open(path)?,
    };
    file.write_all(lines)?;
    file.sync_data()?;
    Ok(file)
}

fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let there = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        there => there?,
    };
    let file = file.metadata()?;
    Ok((file.dev(), file.ino()) == (there.dev(), there.ino()))
}

/// Opens the file behind its last line. What was cut off there stays a line of its own: it comes again whole.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let mut file = options
        .read(true)
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)?;
    if file.metadata()?.len() > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_whole_after_a_crash_and_follow_the_name_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        fs::write(&path, "old\ncut o").unwrap();
        let lines = FileLines::new(path.clone());
        let write = async |text: &'static str| lines.write(Bytes::from(text)).await;
        write("one\n").await.unwrap();
        write("two\n").await.unwrap();
        assert_eq!(read(&path), "old\ncut o\none\ntwo\n");
        let rotated = folder.path().join("rotated");
        fs::rename(&path, &rotated).unwrap();
        write("three\n").await.unwrap();
        assert_eq!(read(&path), "three\n");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o007, 0);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(write("four\n").await.is_err());
        fs::remove_dir(&path).unwrap();
        write("four\n").await.unwrap();
        assert_eq!(read(&path), "four\n");
    }
}
