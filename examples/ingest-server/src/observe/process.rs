//! Which build this is, what of its configuration is probably not meant, and the room on its disk.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use portcullis_telemetry::{Label, MetricError, Registry};

use super::{SMALL, count, number};

/// The commit that was built, if PORTCULLIS_COMMIT said so to the compiler.
const COMMIT: Option<&str> = option_env!("PORTCULLIS_COMMIT");

/// What holds files of the service.
const DATA: &str = "data";

/// Tells the version, and of how many settings the log says at the start that they are probably not meant.
pub(crate) fn register_build(registry: &Registry, warnings: usize) -> Result<(), MetricError> {
    let build = registry.gauge_family(
        "build_info",
        "1 for the version that runs, and the commit that it was built from if PORTCULLIS_COMMIT said so to the compiler",
        ["version", "commit"],
        NonZeroUsize::MIN.saturating_add(1),
    )?;
    let build = build.with([env!("CARGO_PKG_VERSION"), COMMIT.unwrap_or("unknown")]);
    build.set(1);
    registry.observed_gauge(
        "config_problems",
        "Settings that are probably not meant, such as ones that nobody reads: the log of the start and check-config \
         name them",
        move || count(warnings),
    )
}

/// Tells how much room there is where the service keeps its files; a file system that does not answer is left out.
pub(crate) fn register_volumes(registry: &Registry, data: &Path) -> Result<(), MetricError> {
    for (name, help, read) in [
        (
            "disk_free_bytes",
            "Room for more on the file system that holds the data of the service",
            free as fn(&rustix::fs::StatVfs) -> u64,
        ),
        (
            "disk_size_bytes",
            "Size of the file system that holds the data of the service",
            size,
        ),
    ] {
        let folder = data.to_owned();
        let room = move || room(&folder, read);
        registry.observed_gauge_family(
            name,
            help,
            [Label::closed("volume", [DATA])],
            SMALL,
            room,
        )?;
    }
    Ok(())
}

fn room(
    folder: &PathBuf,
    read: fn(&rustix::fs::StatVfs) -> u64,
) -> Option<([&'static str; 1], f64)> {
    let file_system = rustix::fs::statvfs(folder).ok()?;
    Some(([DATA], number(read(&file_system))))
}

/// What a process without privileges may still write.
const fn free(of: &rustix::fs::StatVfs) -> u64 {
    of.f_bavail.saturating_mul(of.f_frsize)
}

const fn size(of: &rustix::fs::StatVfs) -> u64 {
    of.f_blocks.saturating_mul(of.f_frsize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::{movement::assert_moved, scraped};

    #[test]
    fn a_scrape_tells_the_version_and_how_many_settings_are_suspect() {
        let registry = Registry::new();
        let before = scraped(&registry);
        register_build(&registry, 3).unwrap();
        let after = scraped(&registry);
        assert_moved(&before, &after, ["build_info", "config_problems"]);
        assert_eq!(after["config_problems"], 3.0);
        let version = concat!("version=\"", env!("CARGO_PKG_VERSION"), "\"");
        assert!(after.keys().any(|sample| sample.contains(version)));
    }

    #[test]
    fn the_room_on_the_disk_is_what_the_file_system_says_and_nothing_where_there_is_none() {
        let registry = Registry::new();
        let before = scraped(&registry);
        let folder = tempfile::tempdir().unwrap();
        register_volumes(&registry, folder.path()).unwrap();
        let after = scraped(&registry);
        assert_moved(&before, &after, ["disk_free_bytes", "disk_size_bytes"]);
        let (free, size) = (
            after["disk_free_bytes{volume=\"data\"}"],
            after["disk_size_bytes{volume=\"data\"}"],
        );
        assert!(0.0 < free && free <= size, "{free} of {size}");
        drop(folder);
        let gone = scraped(&registry);
        assert!(
            !gone.keys().any(|sample| sample.starts_with("disk_")),
            "{gone:?}"
        );
    }
}
