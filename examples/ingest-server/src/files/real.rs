//! Where a path leads, so that two of one file are found to be the same.

use std::path::{self, Component, Path, PathBuf};

/// The path without links and points. What is not there yet is below the nearest folder that is.
pub(crate) fn real(path: &Path) -> PathBuf {
    let path = path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut real = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                real.pop();
            }
            _ => real.push(part),
        }
        if let Ok(led) = real.canonicalize() {
            real = led;
        }
    }
    real
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn every_spelling_of_a_path_leads_to_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| real(&folder.path().join(path));
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        symlink(&inner, folder.path().join("link")).unwrap();
        let expected = inner.canonicalize().unwrap().join("none/file");
        for path in [
            "inner/none/file",
            "link/none/file",
            "inner/../link/./none/file",
            "none/../inner/none/other/../file",
        ] {
            assert_eq!(at(path), expected, "{path}");
        }
        assert_eq!(real(Path::new("/../..")), Path::new("/"));
        assert!(real(Path::new("file")).is_absolute());
    }
}
