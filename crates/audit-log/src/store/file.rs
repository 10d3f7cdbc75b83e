//! A log in one folder.

mod bloom;
mod cursors;
mod file_error;
mod folder_lock;
mod index_file;
mod index_row;
mod personal_files;
mod tenants_file;

pub use self::file_error::FileStoreError;
