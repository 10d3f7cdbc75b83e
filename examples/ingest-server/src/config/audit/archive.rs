//! Where all of the audit log is kept, and is never taken away.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::{
    config::{given::Given, problems::Problems, profile::Profile, settings, sources::Sources},
    files,
};

/// A place for the archives of all logs, each below the name of its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ArchivePlace {
    /// A folder that is there.
    Folder(PathBuf),
    /// A bucket of S3, and what is before the names in it. How it is reached, `AWS_*` of the environment say.
    Bucket { bucket: String, prefix: String },
}

const EXPECTED: &str = "must be `file://` and the absolute path of a folder, or `s3://`, a bucket and a prefix, as \
                        `s3://audit/ingest`: nothing that tells how it is reached, which AWS_* of the environment say";

impl ArchivePlace {
    fn parse(text: &str) -> Option<Self> {
        if let Some(folder) = text.strip_prefix("file://") {
            let folder = PathBuf::from(folder);
            return folder.is_absolute().then_some(Self::Folder(folder));
        }
        let (bucket, prefix) = {
            let rest = text.strip_prefix("s3://")?;
            rest.split_once('/').unwrap_or((rest, ""))
        };
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_part = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(is_plain);
        let is_prefix = prefix.is_empty() || prefix.split('/').all(is_part);
        (is_part(bucket) && is_prefix).then(|| Self::Bucket {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        })
    }
}

impl fmt::Display for ArchivePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "file://{}", folder.display()),
            Self::Bucket { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

/// Reads the place, for logs in a folder of this name. The outer option is none if it cannot be used.
pub(super) fn read(
    sources: &Sources,
    profile: Profile,
    logs: &Path,
    problems: &mut Problems,
) -> Option<Option<ArchivePlace>> {
    let Some(Given { text, origin }) = sources.given(settings::AUDIT_ARCHIVE) else {
        return Some(None);
    };
    let Some(place) = ArchivePlace::parse(text.trim()) else {
        problems.add(&origin, EXPECTED);
        return None;
    };
    match &place {
        ArchivePlace::Folder(folder) if files::real(folder).starts_with(files::real(logs)) => {
            problems.add(
                &origin,
                "is in the folder of the audit log: who loses that loses both",
            );
        }
        ArchivePlace::Folder(folder) if !folder.is_dir() => {
            let message = "is no folder that is there: nothing is kept in it, and nothing taken out of the log, until it is";
            problems.warn(&origin, message);
        }
        ArchivePlace::Bucket { .. } if cfg!(not(feature = "audit-archive")) => {
            problems.add(
                &origin,
                "needs the cargo feature `audit-archive` for a bucket",
            );
        }
        ArchivePlace::Folder(_) | ArchivePlace::Bucket { .. } => {}
    }
    // Who can write there can put in what was never in the log, and nothing there is written again.
    if let ArchivePlace::Folder(folder) = &place {
        for message in files::of_changeable_folder(folder) {
            problems.add_as(profile.danger(), &origin, message);
        }
    }
    Some(Some(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_a_folder_from_the_root_or_a_bucket() {
        for (text, shown) in [
            ("file:///mnt/archive", "file:///mnt/archive"),
            ("s3://audit", "s3://audit/"),
            ("s3://audit/", "s3://audit/"),
            (
                "s3://audit.example-1/ingest/eu_1/",
                "s3://audit.example-1/ingest/eu_1",
            ),
        ] {
            let place = ArchivePlace::parse(text);
            assert_eq!(place.unwrap().to_string(), shown);
        }
        for text in [
            "",
            "none",
            "file://archive",
            "/mnt/archive",
            "s3://",
            "s3:///audit",
            "s3://audit//a",
            "s3://audit/../a",
            "s3://key:secret@audit/a",
            "s3://audit/a?AWSAccessKeyId=b",
            "https://audit.s3.example/",
        ] {
            assert_eq!(ArchivePlace::parse(text), None, "{text}");
        }
    }
}
