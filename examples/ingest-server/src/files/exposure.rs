//! Who besides the owner can read or change something, and what to do about it.

use std::{
    collections::BTreeSet,
    fs::{self, Metadata},
    os::unix::fs::MetadataExt as _,
    path::{self, Path, PathBuf},
};

const OTHERS: u32 = 0o077;
const WRITABLE: u32 = 0o022;
const WRITABLE_BY_ALL: u32 = 0o002;
/// In such a folder only the owner of a file can rename or remove it.
const STICKY: u32 = 0o1000;

/// What is wrong with a file that is to be private; nothing if it is not there.
pub(crate) fn of_file(path: &Path) -> Vec<String> {
    let what = "a file";
    of(path, what, 600)
}

/// What is wrong with a folder that is to be private; nothing if it is not there.
pub(crate) fn of_folder(path: &Path) -> Vec<String> {
    if path.is_dir() {
        of(path, "a folder", 700)
    } else {
        Vec::new()
    }
}

/// What is wrong with a file that others may read and nobody else is to change; nothing if it is not there.
pub(crate) fn of_changeable_file(path: &Path) -> Vec<String> {
    let Ok(metadata) = fs::metadata(path) else {
        return Vec::new();
    };
    let path = shown(path);
    let open = change_of(&path, "a file", &metadata);
    open.into_iter()
        .chain(owner_of(&path, "a file", &metadata))
        .collect()
}

/// The same of a folder and of those above it. It does not matter whose it is, as it may be another machine's.
pub(crate) fn of_changeable_folder(path: &Path) -> Vec<String> {
    let metadata = fs::metadata(path).ok();
    let open = metadata.and_then(|it| change_of(&shown(path), "a folder", &it));
    let real = path.canonicalize().ok();
    let is_above = |folder: &PathBuf| folder != path && Some(folder) != real.as_ref();
    let above = open_parents(&path.join("file")).into_iter();
    open.into_iter()
        .chain(above.filter(is_above).map(|folder| lies_in(&folder)))
        .collect()
}

/// The folders above something, of which one may not be there yet, that let others replace it.
pub(crate) fn of_parents(path: &Path) -> Vec<String> {
    open_parents(path)
        .iter()
        .map(|folder| lies_in(folder))
        .collect()
}

fn lies_in(folder: &Path) -> String {
    let folder = shown(folder);
    format!("lies in {folder}, which others can change; run `chmod go-w {folder}`")
}

fn open_parents(path: &Path) -> Vec<PathBuf> {
    let mut parents = BTreeSet::new();
    let given = path::absolute(path).ok();
    let real = given
        .as_ref()
        .and_then(|path| nearest(path).canonicalize().ok());
    for path in given.iter().chain(&real) {
        parents.extend(path.ancestors().skip(1).map(Path::to_owned));
    }
    let nearest = given.as_deref().and_then(Path::parent);
    let is_open = |folder: &PathBuf| {
        let forbidden = match nearest {
            Some(nearest) if nearest == folder => WRITABLE,
            _ => WRITABLE_BY_ALL,
        };
        fs::metadata(folder)
            .is_ok_and(|it| it.is_dir() && it.mode() & forbidden != 0 && it.mode() & STICKY == 0)
    };
    parents.into_iter().filter(is_open).collect()
}

fn of(path: &Path, what: &str, mode: u32) -> Vec<String> {
    let Ok(metadata) = fs::metadata(path) else {
        return Vec::new();
    };
    let path = shown(path);
    let mut found = Vec::new();
    if metadata.mode() & OTHERS != 0 {
        found.push(format!(
            "{path} is {what} that others can read or change; run `chmod {mode} {path}`"
        ));
    }
    found.extend(owner_of(&path, what, &metadata));
    found
}

fn change_of(path: &str, what: &str, metadata: &Metadata) -> Option<String> {
    let is_open = metadata.mode() & WRITABLE != 0;
    is_open.then(|| format!("{path} is {what} that others can change; run `chmod go-w {path}`"))
}

fn owner_of(path: &str, what: &str, metadata: &Metadata) -> Option<String> {
    let is_foreign = !is_trusted(metadata);
    is_foreign.then(|| {
        let user = rustix::process::geteuid().as_raw();
        format!("{path} is {what} of another user, who can change it; run `chown {user} {path}`")
    })
}

/// Root can change everything anyway.
fn is_trusted(metadata: &Metadata) -> bool {
    metadata.uid() == 0 || metadata.uid() == rustix::process::geteuid().as_raw()
}

/// The path itself, or the nearest folder above it that is there.
fn nearest(path: &Path) -> &Path {
    let mut found = path.ancestors().filter(|path| path.exists());
    found.next().unwrap_or(path)
}

/// As a shell takes it.
fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@%:,=".contains(&byte);
    if text.bytes().all(is_plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_others_can_read_or_change_is_told_with_what_to_run() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a b");
        fs::write(&file, "").unwrap();
        for mode in [
            0o600, 0o400, 0o700, 0o644, 0o640, 0o620, 0o604, 0o602, 0o610,
        ] {
            set(&file, mode);
            let found = of_file(&file);
            assert_eq!(found.is_empty(), mode & 0o077 == 0, "{mode:o}");
            let command = format!("chmod 600 '{}'", file.display());
            assert!(found.iter().all(|it| it.contains(&command)), "{found:?}");
        }
        set(folder.path(), 0o700);
        assert!(of_folder(folder.path()).is_empty());
        set(folder.path(), 0o750);
        assert_eq!(of_folder(folder.path()).len(), 1);
        assert!(of_file(&folder.path().join("none")).is_empty());
    }

    #[test]
    fn what_others_may_read_is_told_only_if_they_can_change_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for mode in [0o700, 0o744, 0o755, 0o720, 0o702, 0o766, 0o1777] {
            set(&file, mode);
            set(folder.path(), mode);
            let expected = usize::from(mode & 0o022 != 0);
            let command = |path: &Path| format!("run `chmod go-w {}`", path.display());
            let of_file = of_changeable_file(&file);
            assert_eq!(of_file.len(), expected, "{mode:o}");
            assert!(of_file.iter().all(|it| it.ends_with(&command(&file))));
            let of_folder = of_changeable_folder(folder.path());
            assert_eq!(of_folder.len(), expected, "{mode:o}");
            let command = command(folder.path());
            assert!(of_folder.iter().all(|it| it.ends_with(&command)));
        }
    }

    #[test]
    fn a_folder_above_that_others_can_change_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let paths = [inner.join("file"), inner.join("not/there/yet")];
        for (outer, inner_mode, expected) in [
            (0o755, 0o755, [0, 0]),
            (0o777, 0o755, [1, 1]),
            (0o1777, 0o755, [0, 0]),
            (0o775, 0o755, [0, 0]),
            (0o755, 0o777, [1, 1]),
            (0o755, 0o775, [1, 0]),
        ] {
            set(folder.path(), outer);
            set(&inner, inner_mode);
            let found = paths.each_ref().map(|path| of_parents(path).len());
            assert_eq!(found, expected, "{outer:o} {inner_mode:o}");
        }
    }

    #[test]
    fn folders_behind_a_link_count() {
        let folder = tempfile::tempdir().unwrap();
        let (open, link) = (folder.path().join("open"), folder.path().join("link"));
        fs::create_dir(&open).unwrap();
        fs::write(open.join("file"), "").unwrap();
        std::os::unix::fs::symlink(open.join("file"), &link).unwrap();
        set(&open, 0o777);
        let found = of_parents(&link);
        assert!(found[0].contains(open.to_str().unwrap()), "{found:?}");
    }
}
