//! One bundle after the other.

mod end;
mod entry;
mod judge;

use std::ops::{ControlFlow, Range};

use super::{Companions, Finding, Report, tenants::Tenants, tree_so_far::TreeSoFar};
use crate::{
    source::{BundleFile, SourceError, TreeFileError, TreeFiles},
    tile::{HashTile, TileKind, TilePath, WIDTH},
    tree::TreeHash,
};

/// The most findings of one bundle that are listed: of what was moved, all that follow.
const MAX_OF_A_BUNDLE: usize = 4;

/// What a walk through bundles knows.
#[derive(Debug)]
pub(super) struct Walk<'a, 'c> {
    pub(super) files: &'a TreeFiles<'a>,
    pub(super) root: TreeHash,
    /// What was asked for, which is read by whole bundles.
    pub(super) range: Range<u64>,
    pub(super) tree: TreeSoFar,
    pub(super) companions: Option<&'c mut dyn Companions>,
    pub(super) report: &'a mut Report,
    /// Below it, bundles may have been pruned; `None` if nobody said how far.
    pub(super) minimum: Option<u64>,
    /// Of this size, the root is to be remembered.
    pub(super) watched: (u64, Option<TreeHash>),
    pub(super) tenants: Tenants,
    pub(super) absent: Option<Absent>,
    /// The first entry that is left, as the last entry that tells of it says.
    pub(super) left: u64,
}

/// Bundles that are missing one after the other.
#[derive(Debug)]
pub(super) struct Absent {
    first: TilePath,
    entries: u64,
    bundles: u64,
    /// Whether nothing was there before them.
    is_beginning: bool,
}

/// Nothing is known from there on.
#[derive(Debug)]
pub(super) struct Stopped;

impl Walk<'_, '_> {
    /// Looks at a bundle, and at the tile of its hashes.
    pub(super) fn step(&mut self, index: u64) -> ControlFlow<Stopped> {
        let lowest = TileKind::Hashes { level: 0 };
        let paths = (
            self.files.path(TileKind::Entries, index),
            self.files.path(lowest, index),
        );
        let (Some(path), Some(tile_path)) = paths else {
            return ControlFlow::Continue(());
        };
        let tile = match self.files.tile(tile_path) {
            Ok(tile) => {
                if tile.is_none() {
                    self.find(Finding::Missing {
                        path: tile_path,
                        more: 0,
                    });
                }
                tile
            }
            Err(error) => {
                self.cannot(error)?;
                None
            }
        };
        let bundle = match self.files.bundle(index) {
            Ok(Some(bundle)) => bundle,
            Ok(None) => {
                self.is_absent(path);
                return self.go_on(path, tile.map(|tile| tile.hashes().to_vec()));
            }
            Err(error) => {
                self.cannot(error)?;
                return self.go_on(path, tile.map(|tile| tile.hashes().to_vec()));
            }
        };
        self.is_present();
        self.report.bytes += u64::try_from(bundle.bytes.len()).unwrap_or(u64::MAX);
        self.check(&bundle, tile)
    }

    /// What is missing at the end is told by who knows where that is.
    fn is_absent(&mut self, path: TilePath) {
        let width = u64::from(path.width());
        let first = path.index() * u64::from(WIDTH);
        if self.minimum.is_some_and(|minimum| first + width <= minimum) {
            self.report.pruned += width;
            return;
        }
        let is_beginning = self.minimum.is_none() && self.report.entries == 0 && !path.is_partial();
        match &mut self.absent {
            Some(absent) if absent.is_beginning == is_beginning => {
                absent.entries += width;
                absent.bundles += 1;
            }
            // The partial bundle behind pruned ones: all of them are missing.
            Some(absent) => {
                absent.is_beginning = false;
                absent.entries += width;
                absent.bundles += 1;
            }
            None => {
                self.absent = Some(Absent {
                    first: path,
                    entries: width,
                    bundles: 1,
                    is_beginning,
                });
            }
        }
    }

    fn is_present(&mut self) {
        match self.absent.take() {
            Some(absent) if absent.is_beginning => self.report.pruned += absent.entries,
            Some(absent) => self.find(absent.finding()),
            None => {}
        }
    }

    /// Goes on behind a bundle that nobody can read.
    fn go_on(&mut self, path: TilePath, hashes: Option<Vec<TreeHash>>) -> ControlFlow<Stopped> {
        let Some(hashes) = hashes else {
            return ControlFlow::Break(Stopped);
        };
        self.tenants.skip(path.width().into());
        self.grow(&hashes)
    }

    fn check(&mut self, bundle: &BundleFile, tile: Option<HashTile>) -> ControlFlow<Stopped> {
        let path = bundle.path;
        if let Err(error) = bundle.check() {
            self.find(Finding::File { path, error });
        }
        let computed: Vec<_> = bundle.entries().map(TreeHash::of_leaf).collect();
        let Some(hashes) = self.judge(path, &computed, tile)? else {
            return ControlFlow::Break(Stopped);
        };
        let first = path.index() * u64::from(WIDTH);
        let (mut entries, mut told) = (bundle.entries().zip(&computed), 0);
        for (n, signed) in (first..).zip(&hashes) {
            let Some((entry, found)) = entries.next() else {
                // The file ends before it, which was told.
                self.tenants.skip(1);
                continue;
            };
            self.report.entries += 1;
            self.report.in_range += u64::from(self.range.contains(&n));
            if let Some(fault) = self.entry(n, entry, found == signed)? {
                told += 1;
                if told <= MAX_OF_A_BUNDLE {
                    self.find(Finding::Entry { path, n, fault });
                } else {
                    self.report.more += 1;
                }
            }
        }
        self.grow(&hashes)
    }

    /// Appends the hashes of a bundle, and looks at the tiles that they fill.
    fn grow(&mut self, hashes: &[TreeHash]) -> ControlFlow<Stopped> {
        let mut upper = Vec::new();
        for hash in hashes {
            self.tree.push(*hash, &mut upper);
            if self.tree.size() == self.watched.0 {
                self.watched.1 = Some(self.tree.root());
            }
        }
        self.compare(upper)
    }

    /// Holds tiles of the log against those that follow from its entries.
    pub(super) fn compare(
        &mut self,
        tiles: impl IntoIterator<Item = HashTile>,
    ) -> ControlFlow<Stopped> {
        for tile in tiles {
            let path = tile.path();
            match self.files.tile(path) {
                Ok(Some(found)) if found == tile => {}
                Ok(Some(_)) => self.find(Finding::Tile { path }),
                Ok(None) => self.find(Finding::Missing { path, more: 0 }),
                Err(error) => self.cannot(error)?,
            }
        }
        ControlFlow::Continue(())
    }

    /// Tells what is wrong with a file; without the disk or the network, that is the last.
    pub(super) fn cannot(&mut self, error: TreeFileError) -> ControlFlow<Stopped> {
        let finding = Finding::from(error);
        let is_last = matches!(finding, Finding::Source(SourceError::Unreadable { .. }));
        self.find(finding);
        if is_last {
            return ControlFlow::Break(Stopped);
        }
        ControlFlow::Continue(())
    }

    pub(super) fn find(&mut self, finding: Finding) {
        self.report.find(finding);
    }
}

impl Absent {
    /// Where nothing explains that they are missing.
    const fn finding(&self) -> Finding {
        Finding::Missing {
            path: self.first,
            more: self.bundles - 1,
        }
    }
}
