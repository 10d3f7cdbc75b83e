//! Where tiles and bundles stand.

use std::{fmt, str::FromStr};

use super::{HEIGHT, LEVELS, WIDTH};

/// The path of a tile or an entry bundle: `tile/0/x001/x234/067`, `tile/entries/000.p/44`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    width: u16,
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "tlog-tiles has these two")]
pub enum TileKind {
    /// Hashes of subtrees of 256^level leaves; those of level 0 are hashes of leaves.
    Hashes {
        /// 0 to 7.
        level: u8,
    },
    /// The entries themselves.
    Entries,
}

/// A text that is the path of no tile and no bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the path must be as tile/0/x001/234 or tile/entries/000.p/17")]
#[non_exhaustive]
pub struct InvalidPath;

impl TilePath {
    /// The path of tile or bundle number `index` of its kind, with `width` of 1 to 256 hashes or entries.
    ///
    /// # Errors
    /// [`InvalidPath`] if no tree has it.
    pub fn new(kind: TileKind, index: u64, width: u16) -> Result<Self, InvalidPath> {
        let level = match kind {
            TileKind::Hashes { level } => level,
            TileKind::Entries => 0,
        };
        // The leaves below it are counted in 64 bits.
        let leaves = HEIGHT * (u32::from(level) + 1);
        let is_in_a_tree = (1..=WIDTH).contains(&width)
            && usize::from(level) < LEVELS
            && index <= u64::MAX.checked_shr(leaves).unwrap_or(0);
        if !is_in_a_tree {
            return Err(InvalidPath);
        }
        Ok(Self { kind, index, width })
    }

    /// The full bundle of entries that a log has.
    #[cfg(unix)]
    pub(crate) const fn of_bundle(index: u64) -> Self {
        Self {
            kind: TileKind::Entries,
            index,
            width: WIDTH,
        }
    }

    /// The files of a tree of `size` leaves at the right edge: of each kind and level, the last tile or bundle, if it
    /// is partial.
    pub fn partial(size: u64) -> impl Iterator<Item = Self> {
        let hashes = (0_u8..8)
            .map(move |level| (TileKind::Hashes { level }, size >> (8 * u32::from(level))));
        std::iter::once((TileKind::Entries, size))
            .chain(hashes)
            .filter_map(|(kind, count)| {
                let width = u16::try_from(count % u64::from(WIDTH)).ok()?;
                Self::new(kind, count / u64::from(WIDTH), width).ok()
            })
    }

    /// What stands there.
    #[must_use]
    pub const fn kind(&self) -> TileKind {
        self.kind
    }

    /// Its number among those of its kind and level, from 0.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it has, 1 to 256.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Whether it has fewer than 256.
    #[must_use]
    pub const fn is_partial(&self) -> bool {
        self.width < WIDTH
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes { level } => write!(f, "tile/{level}/")?,
            TileKind::Entries => f.write_str("tile/entries/")?,
        }
        // Three digits an element, the most significant first, all but the last behind an `x`.
        let groups = self.index.checked_ilog10().unwrap_or(0) / 3;
        for group in (0..=groups).rev() {
            let digits = self.index / 1000_u64.pow(group) % 1000;
            if group == 0 {
                write!(f, "{digits:03}")?;
            } else {
                write!(f, "x{digits:03}/")?;
            }
        }
        if self.is_partial() {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

impl FromStr for TilePath {
    type Err = InvalidPath;

    /// Reads a path: one file has one path.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text).ok_or(InvalidPath)
    }
}

fn read(text: &str) -> Option<TilePath> {
    let (kind, rest) = text.strip_prefix("tile/")?.split_once('/')?;
    let kind = match kind.as_bytes() {
        b"entries" => TileKind::Entries,
        [digit @ b'0'..=b'7'] => TileKind::Hashes {
            level: digit - b'0',
        },
        _ => return None,
    };
    let (index, width) = match rest.split_once(".p/") {
        None => (rest, WIDTH),
        Some((index, width)) => (index, partial_width(width)?),
    };
    let path = TilePath::new(kind, number(index)?, width).ok()?;
    Some(path)
}

fn partial_width(text: &str) -> Option<u16> {
    let is_written_so = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let width: u16 = is_written_so.then(|| text.parse().ok())??;
    (width < WIDTH).then_some(width)
}

fn number(text: &str) -> Option<u64> {
    // Without a leading group of zeros.
    if text.starts_with("x000") {
        return None;
    }
    let mut groups = text.split('/').peekable();
    let mut number = 0;
    while let Some(group) = groups.next() {
        let is_last = groups.peek().is_none();
        let digits = if is_last {
            group
        } else {
            group.strip_prefix('x')?
        };
        number = append(number, digits)?;
    }
    Some(number)
}

fn append(number: u64, digits: &str) -> Option<u64> {
    let is_group = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let digits: u64 = is_group.then(|| digits.parse().ok())??;
    number.checked_mul(1000)?.checked_add(digits)
}
