//! Making what nobody else is to read, whatever the umask or a folder's default rules say.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{
        DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown,
    },
    path::Path,
};

/// Makes a folder and those above it that are missing, for the owner alone.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes a file that is not there, for the owner alone. Where a link lies, there is something.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Puts a file with this content in the place of whatever lies there, for the owner alone; what a link
/// there points to stays as it is.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    replace_with(path, content, None)
}

/// The same for what is no secret: who may read or write the file that lies there may do so with the one in
/// its place, as far as this process may give it away. A link stays, and leads to the new one.
pub(crate) fn replace_keeping_access(path: &Path, content: &[u8]) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => replace_with(path, content, None),
        _ => {
            let target = fs::canonicalize(path)?;
            let before = fs::metadata(&target)?;
            replace_with(&target, content, Some(&before))
        }
    }
}

fn replace_with(path: &Path, content: &[u8], before: Option<&Metadata>) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = Path::new(&draft);
    // Left behind by an earlier process of this number.
    match fs::remove_file(draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let replaced = create_new(draft).and_then(|mut file| {
        file.write_all(content)?;
        if let Some(before) = before {
            keep_access(&file, before)?;
        }
        file.sync_all()?;
        // That another file has the name is kept by the folder.
        let folder = File::open(folder_of(path))?;
        fs::rename(draft, path)?;
        folder.sync_all()
    });
    if replaced.is_err() {
        drop(fs::remove_file(draft));
    }
    replaced
}

/// Owner and group are kept where this process may: any as root, and else a group that it is in.
fn keep_access(file: &File, before: &Metadata) -> io::Result<()> {
    let made = file.metadata()?;
    if made.uid() != before.uid() {
        // Left to who writes it now.
        drop(fchown(file, Some(before.uid()), None));
    }
    let keeps_group = made.gid() == before.gid() || fchown(file, None, Some(before.gid())).is_ok();
    let mode = before.mode() & 0o777;
    // Another group than the one that was meant may do what anybody may.
    let mode = if keeps_group {
        mode
    } else {
        mode & !0o070 | (mode & 0o007) << 3
    };
    file.set_permissions(Permissions::from_mode(mode))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{chown, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        create_folder(&deep).unwrap();
        create_folder(&deep).unwrap();
        assert_eq!(
            (mode(&folder.path().join("a")), mode(&deep)),
            (0o700, 0o700)
        );
        create_new(&deep.join("file")).unwrap();
        assert_eq!(mode(&deep.join("file")), 0o600);
    }

    #[test]
    fn who_may_read_a_policy_may_read_the_one_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        replace_keeping_access(&file, b"new").unwrap();
        assert_eq!(mode(&file), 0o600);
        for shared in [0o640, 0o644, 0o664] {
            fs::set_permissions(&file, Permissions::from_mode(shared)).unwrap();
            replace_keeping_access(&file, b"after").unwrap();
            assert_eq!(mode(&file), shared);
        }
        if fs::metadata(&file).unwrap().uid() == 0 {
            // Who else may give a file away.
            chown(&file, Some(65_534), Some(65_533)).unwrap();
        }
        let owner = |file| {
            let file = fs::metadata(file).unwrap();
            (file.uid(), file.gid())
        };
        let before = owner(&file);
        replace_keeping_access(&file, b"after").unwrap();
        assert_eq!((owner(&file), mode(&file)), (before, 0o664));
        replace(&file, b"secret").unwrap();
        assert_eq!(mode(&file), 0o600);
    }

    #[test]
    fn a_link_to_a_policy_stays_and_leads_to_the_one_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("etc")).unwrap();
        fs::write(path("etc/file"), "before").unwrap();
        fs::set_permissions(path("etc/file"), Permissions::from_mode(0o644)).unwrap();
        symlink("etc/file", path("link")).unwrap();
        symlink("link", path("to-link")).unwrap();
        replace_keeping_access(&path("to-link"), b"after").unwrap();
        for link in ["link", "to-link"] {
            assert!(path(link).is_symlink());
            assert_eq!(fs::read(path(link)).unwrap(), b"after");
        }
        assert_eq!(mode(&path("etc/file")), 0o644);
        // Where a link leads nowhere nobody knows what is meant.
        symlink("nowhere", path("dangling")).unwrap();
        let refused = replace_keeping_access(&path("dangling"), b"after").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::NotFound);
        assert!(path("dangling").is_symlink());
    }

    #[test]
    fn what_is_not_replaced_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let in_the_way = folder.path().join("file");
        fs::create_dir(&in_the_way).unwrap();
        replace(&in_the_way, b"after").unwrap_err();
        let names = fs::read_dir(folder.path()).unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["file"]);
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "before").unwrap();
        symlink(&target, &link).unwrap();
        let refused = create_new(&link).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        replace(&link, b"after").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"before");
        assert_eq!(fs::read(&link).unwrap(), b"after");
        assert_eq!(mode(&link), 0o600);

        symlink(
            folder.path().join("nowhere"),
            folder.path().join("dangling"),
        )
        .unwrap();
        create_new(&folder.path().join("dangling")).unwrap_err();
        assert!(!folder.path().join("nowhere").exists());
    }
}
