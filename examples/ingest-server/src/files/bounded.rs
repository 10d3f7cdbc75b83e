//! Reading what an operator names: it may be a pipe that nobody writes to, or a device without end.

use std::{
    fs::{self, File, FileType},
    io::{self, Read as _},
    os::unix::fs::FileTypeExt as _,
    path::Path,
};

use rustix::fs::{Mode, OFlags, open};
use zeroize::Zeroizing;

/// Why a file was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("cannot be read: {0}")]
    Failed(io::ErrorKind),
    #[error("is {0}, not a file")]
    NotAFile(&'static str),
    #[error("is larger than {0} bytes")]
    TooLarge(usize),
    /// How many of its bytes are.
    #[error("is not UTF-8 text")]
    NotUtf8 { valid: usize },
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.kind())
    }
}

/// Reads a regular file of at most `most` bytes, and neither blocks on anything else nor reads it.
pub(crate) fn read(path: &Path, most: usize) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
    // Looked at first: opening a device may do something.
    require_file(fs::metadata(path)?.file_type())?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut file = File::from(open(path, flags, Mode::empty()).map_err(io::Error::from)?);
    require_file(file.metadata()?.file_type())?;
    // Room for all of it from the start: growing would leave copies behind that nobody wipes.
    let mut bytes = Zeroizing::new(Vec::with_capacity(most + 2));
    let limit = u64::try_from(most + 1).unwrap_or(u64::MAX);
    file.by_ref().take(limit).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(Unreadable::TooLarge(most));
    }
    Ok(bytes)
}

/// The same for text.
pub(crate) fn read_text(path: &Path, most: usize) -> Result<Zeroizing<String>, Unreadable> {
    let bytes = read(path, most)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(error) => Err(Unreadable::NotUtf8 {
            valid: error.valid_up_to(),
        }),
    }
}

fn require_file(file: FileType) -> Result<(), Unreadable> {
    let what = match file {
        file if file.is_file() => return Ok(()),
        file if file.is_dir() => "a folder",
        file if file.is_fifo() => "a pipe",
        file if file.is_socket() => "a socket",
        _ => "a device",
    };
    Err(Unreadable::NotAFile(what))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_file_is_read_within_its_bound_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("four"), "four").unwrap();
        assert_eq!(&**read(&path("four"), 4).unwrap(), b"four");
        assert_eq!(read(&path("four"), 3), Err(Unreadable::TooLarge(3)));
        fs::write(path("latin1"), b"a\xe9").unwrap();
        assert_eq!(
            read_text(&path("latin1"), 9),
            Err(Unreadable::NotUtf8 { valid: 1 })
        );
        let missing = Unreadable::Failed(io::ErrorKind::NotFound);
        assert_eq!(read(&path("none"), 4), Err(missing));

        let _listener = UnixListener::bind(path("socket")).unwrap();
        let mode = Mode::RUSR | Mode::WUSR;
        let made = rustix::fs::mkfifoat(rustix::fs::CWD, path("pipe"), mode);
        made.unwrap();
        std::os::unix::fs::symlink("/dev/zero", path("link")).unwrap();
        for (name, what) in [
            (path("socket"), "a socket"),
            (path("pipe"), "a pipe"),
            (path("link"), "a device"),
            (folder.path().to_owned(), "a folder"),
            ("/dev/zero".into(), "a device"),
        ] {
            assert_eq!(read(&name, 4), Err(Unreadable::NotAFile(what)), "{name:?}");
        }
    }
}
