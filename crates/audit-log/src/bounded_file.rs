//! Files read no further than what was written there can be long, and nothing but files: who can write in the folder could
//! else fill the memory of the process with one that has holes, or have it wait for ever at a pipe.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    path::Path,
};

/// The bytes of a file of at most so many.
///
/// # Errors
/// [`io::ErrorKind::FileTooLarge`] if it is longer, [`io::ErrorKind::InvalidInput`] if it is no file; and what the system
/// says.
pub(crate) fn read(path: &Path, at_most: usize) -> io::Result<Vec<u8>> {
    read_file(reading().open(path)?, at_most)
}

fn read_file(file: File, at_most: usize) -> io::Result<Vec<u8>> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no regular file",
        ));
    }
    let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(length.min(at_most));
    let limit = u64::try_from(at_most).unwrap_or(u64::MAX);
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > at_most {
        let text = format!("it has more than the {at_most} bytes that it can have");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}

/// The bytes of a file of at most so many, by its path below a folder. A link on the way there, or in its place, may lead
/// to what nobody was to read, and is not followed; the folder itself may be one.
///
/// # Errors
/// As [`read`].
#[cfg(unix)]
pub(crate) fn read_within(folder: &Path, path: &str, at_most: usize) -> io::Result<Vec<u8>> {
    read_file(open_within(folder, path)?, at_most)
}

/// As [`read`], where links are not told from files.
#[cfg(not(unix))]
pub(crate) fn read_within(folder: &Path, path: &str, at_most: usize) -> io::Result<Vec<u8>> {
    read(&folder.join(path), at_most)
}

/// From one folder to the next, so that nobody puts a link there in between.
#[cfg(unix)]
fn open_within(folder: &Path, path: &str) -> io::Result<File> {
    use rustix::{
        fs::{Mode, OFlags, open, openat, readlinkat},
        io::Errno,
    };

    let is_link = || io::Error::new(io::ErrorKind::InvalidInput, "it is a link");
    let way = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let mut at = open(folder, way, Mode::empty())?;
    for within in folders.split('/').filter(|within| !within.is_empty()) {
        at = match openat(&at, within, way | OFlags::NOFOLLOW, Mode::empty()) {
            Err(Errno::NOTDIR | Errno::LOOP) if readlinkat(&at, within, Vec::new()).is_ok() => {
                return Err(is_link());
            }
            opened => opened?,
        };
    }
    let file = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(&at, name, file, Mode::empty()) {
        Err(Errno::LOOP) => Err(is_link()),
        opened => Ok(opened?.into()),
    }
}

fn reading() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;

        // To open a pipe would else wait for who writes into it.
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    options
}

/// The same of a file of text.
///
/// # Errors
/// As [`read`], and [`io::ErrorKind::InvalidData`] if it is not UTF-8.
#[cfg(unix)]
pub(crate) fn read_text(path: &Path, at_most: usize) -> io::Result<String> {
    String::from_utf8(read(path, at_most)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

#[cfg(all(test, unix))]
mod tests {
    use std::{
        fs::{File, create_dir_all},
        os::unix::fs::symlink,
        process::Command,
    };

    use super::*;

    #[test]
    fn a_file_is_read_whole_or_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, b"abc").unwrap();
        assert_eq!(read(&path, 3).unwrap(), b"abc");
        assert_eq!(read_text(&path, 4).unwrap(), "abc");
        let error = read(&path, 2).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_file_of_a_tebibyte_takes_no_more_memory_than_what_it_can_have() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let file = File::create(&path).unwrap();
        file.set_len(1 << 40).unwrap();
        let error = read(&path, 1 << 20).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_link_below_a_folder_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (elsewhere, folder) = (dir.path().join("elsewhere"), dir.path().join("log"));
        for folder in [&elsewhere, &folder.join("tile/0")] {
            create_dir_all(folder).unwrap();
            std::fs::write(folder.join("777"), b"abc").unwrap();
        }
        assert_eq!(read_within(&folder, "tile/0/777", 3).unwrap(), b"abc");
        let absent = read_within(&folder, "tile/1/777", 3).unwrap_err();
        assert_eq!(absent.kind(), io::ErrorKind::NotFound);
        let file = read_within(&folder, "tile/0/777/001", 3).unwrap_err();
        assert_eq!(file.kind(), io::ErrorKind::NotADirectory);
        symlink(elsewhere.join("777"), folder.join("tile/0/778")).unwrap();
        symlink(&elsewhere, folder.join("tile/2")).unwrap();
        symlink(dir.path(), folder.join("up")).unwrap();
        for path in ["tile/0/778", "tile/2/777", "up/elsewhere/777"] {
            let error = read_within(&folder, path, 3).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{path}");
        }
        // The folder is where who runs it has put it.
        symlink(&folder, dir.path().join("linked")).unwrap();
        let linked = read_within(&dir.path().join("linked"), "tile/0/777", 3);
        assert_eq!(linked.unwrap(), b"abc");
    }

    #[test]
    fn nobody_waits_at_a_pipe() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        assert!(
            Command::new("mkfifo")
                .arg(&path)
                .status()
                .unwrap()
                .success()
        );
        let error = read(&path, 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        let error = read(dir.path(), 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
