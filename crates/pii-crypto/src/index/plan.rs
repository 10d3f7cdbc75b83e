//! How many bits a search index may have.
//!
//! The values of a search index are short on purpose: several contents share one, and who reads the table
//! cannot tell them apart. How short depends on how many rows there are. With R rows of one tenant and b
//! bits in all the values that a row stores, C = R / 2^b rows share what is stored of one of them. Below
//! 2 a row stands alone, and its values are as good as a fingerprint; above √R a search opens more rows
//! than it saves.
//!
//! While the index root rotates, a row stores two values of each index, and two times b bits: by C = R / 2^(2b)
//! almost every row stands alone until the former version's values are deleted, and in copies of the table that
//! were made meanwhile, or one before and one after. No b satisfies 2 ≤ R / 2^(2b) and R / 2^b ≤ √R together:
//! [`search_bits`] is for one version, and [`search_bits_in_rotation`] for two, at the price of longer searches
//! in between.
//!
//! Source: the planner of CipherSweet (Paragon Initiative, "Blind Index Planning"), whose bounds these are.

/// The bits of one value of a search index, that a plan has found to be few enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SearchBits(u16);

/// Why a plan is refused, with what to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeakyIndex {
    /// There are too few rows for any search index.
    #[error(
        "{rows} rows are too few for a search index: with fewer than {needed} any value tells rows apart; open \
         all of them and compare"
    )]
    TooFewRows {
        /// The rows of the plan.
        rows: u64,
        /// The fewest that it takes.
        needed: u64,
    },
    /// The values of a row are so long that they tell it from others.
    #[error(
        "{bits} bits in the search values of a row tell {rows} rows apart, fewer than 2 share them: choose \
         {at_least} to {at_most} bits for all its search indexes together"
    )]
    TooManyBits {
        /// The rows of the plan.
        rows: u64,
        /// The bits of all values that a row stores.
        bits: u32,
        /// The fewest that are of use.
        at_least: u32,
        /// The most that do not leak.
        at_most: u32,
    },
    /// The values are so short that a search opens more rows than it saves.
    #[error(
        "{bits} bits in the search values of a row are too few for {rows} rows, more than √{rows} share them: \
         choose {at_least} to {at_most} bits for all its search indexes together"
    )]
    TooFewBits {
        /// The rows of the plan.
        rows: u64,
        /// The bits of all values that a row stores.
        bits: u32,
        /// The fewest that are of use.
        at_least: u32,
        /// The most that do not leak.
        at_most: u32,
    },
}

impl SearchBits {
    /// The number of bits.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// Checks the lengths of all values that a row stores in search indexes: one for each index, for an index
/// with several values in a row one for each of those. `rows` is how many rows one tenant has, a small
/// tenant: each has keys of its own, and hides among its own rows only.
///
/// In a `const` it is checked when the program is compiled.
///
/// ```
/// use portcullis_pii_crypto::plan::{LeakyIndex, SearchBits, search_bits};
///
/// // Town and employer of 50,000 people.
/// const BITS: Result<[SearchBits; 2], LeakyIndex> = search_bits(50_000, [6, 6]);
/// let [town, employer] = BITS.expect("12 bits are shared by 12 of 50,000 rows");
/// assert_eq!((town.get(), employer.get()), (6, 6));
///
/// let refused = search_bits(1_000, [6, 6]).unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "12 bits in the search values of a row tell 1000 rows apart, fewer than 2 share them: choose 5 to 8 bits for \
///      all its search indexes together",
/// );
/// ```
///
/// While the index root rotates a row stores two values of each index: see [`search_bits_in_rotation`].
///
/// # Errors
/// [`LeakyIndex`] unless there are at least 16 rows and 2 ≤ rows / 2^(sum of the bits) ≤ √rows.
pub const fn search_bits<const N: usize>(
    rows: u64,
    bits: [u16; N],
) -> Result<[SearchBits; N], LeakyIndex> {
    plan(rows, bits, 1)
}

/// As [`search_bits`], for what a row stores while the index root rotates: two values of each index. Outside of
/// a rotation up to R^¾ rows share what is stored of one, and a search opens as many.
///
/// ```
/// use portcullis_pii_crypto::plan::{search_bits, search_bits_in_rotation};
///
/// assert!(search_bits(50_000, [12]).is_ok());
/// let refused = search_bits_in_rotation(50_000, [12]).unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "12 bits in the search values of a row tell 50000 rows apart, fewer than 2 share them: choose 4 to 7 bits for \
///      all its search indexes together",
/// );
/// assert!(search_bits_in_rotation(50_000, [7]).is_ok());
/// ```
///
/// # Errors
/// [`LeakyIndex`] unless there are at least 32 rows and 2 ≤ rows / 2^(2 × the sum of the bits) ≤ √rows.
pub const fn search_bits_in_rotation<const N: usize>(
    rows: u64,
    bits: [u16; N],
) -> Result<[SearchBits; N], LeakyIndex> {
    plan(rows, bits, 2)
}

/// With as many values of each index in a row as there are versions.
const fn plan<const N: usize>(
    rows: u64,
    bits: [u16; N],
    versions: u32,
) -> Result<[SearchBits; N], LeakyIndex> {
    // Of 17 to 31 rows no whole number of bits is right for two versions.
    let needed = if versions == 1 {
        MIN_ROWS
    } else {
        2 * MIN_ROWS
    };
    if rows < needed {
        return Err(LeakyIndex::TooFewRows { rows, needed });
    }
    let mut checked = [SearchBits(0); N];
    let mut sum: u32 = 0;
    let mut at = 0;
    while at < N {
        checked[at] = SearchBits(bits[at]);
        sum = sum.saturating_add(bits[at] as u32);
        at += 1;
    }
    // rows / 2^b ≥ 2 is b ≤ log₂ rows - 1; rows / 2^b ≤ √rows is b ≥ (log₂ rows) / 2.
    let at_most = (rows.ilog2() - 1) / versions;
    let log_rounded_up = u64::BITS - (rows - 1).leading_zeros();
    let at_least = log_rounded_up.div_ceil(2 * versions);
    if sum > at_most {
        return Err(LeakyIndex::TooManyBits {
            rows,
            bits: sum,
            at_least,
            at_most,
        });
    }
    if sum < at_least {
        return Err(LeakyIndex::TooFewBits {
            rows,
            bits: sum,
            at_least,
            at_most,
        });
    }
    Ok(checked)
}

const MIN_ROWS: u64 = 16;

#[cfg(test)]
mod tests;
