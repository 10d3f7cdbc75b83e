//! Folders.

use std::fs;

use tempfile::TempDir;

use super::*;

#[test]
fn a_folder_has_files_or_it_has_not() {
    let dir = TempDir::new().unwrap();
    fs::create_dir_all(dir.path().join("tile/0")).unwrap();
    fs::write(dir.path().join("tile/0/000"), [7; 100]).unwrap();
    let source = FolderSource::new(dir.path());
    assert_eq!(source.read("tile/0/000", 100).unwrap(), Some(vec![7; 100]));
    assert_eq!(source.read("tile/0/001", 100).unwrap(), None);
    // Below a file there is nothing, and that is no error either.
    assert_eq!(source.read("tile/0/000/17", 100).unwrap(), None);
    let error = source.read("tile/0/000", 99).unwrap_err();
    assert!(matches!(error, SourceError::TooLong { at_most: 99, .. }));
    let error = source.read("tile/0", 100).unwrap_err();
    assert!(matches!(error, SourceError::Unreadable { .. }));
    assert_eq!(error.path(), "tile/0");
}

#[test]
fn the_longest_files_are_as_long_as_they_are_said_to_be() {
    assert_eq!(MAX_TILE_BYTES, 8_192);
    assert_eq!(MAX_BUNDLE_BYTES, 256 * 16_386);
    assert_eq!(MAX_CHECKPOINT_BYTES, 524_288);
}
