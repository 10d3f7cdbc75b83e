//! Which log of an origin is written: the first, or one that was begun when a rollback was accepted.

use std::{cmp::Ordering, fmt, num::NonZeroU32, str::FromStr};

use crate::{
    checkpoint::decimal,
    note::{InvalidKeyName, KeyName},
    tree::TreeHash,
};

/// One of the logs of an origin. Each has an origin of its own, so that none ever signs two inconsistent trees:
/// `portcullis.example/audit`, then `portcullis.example/audit/2`.
///
/// As text it is what a service keeps, in a file ([`FileGenerations`](crate::store::FileGenerations)) or in its
/// database:
///
/// ```text
/// portcullis/audit/generation/v1
/// 2
/// known 1 702 usClIbbDnMnAAq0ZnmLjWNIEklVUBhfsJvGeKtse1cA=
/// kept 1 502 CAk3O+MgRVYrpScI5Oo6tXgw2+wFVCTQ6cWOMOi9M0U=
/// ```
///
/// A last line `damaged` follows where the log that is kept did not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    number: NonZeroU32,
    accepted: Option<AcceptedRollback>,
}

/// The rollback that a log was begun after.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AcceptedRollback {
    /// What an anchor knew: the largest tree of all anchors. It is one without entries if the anchor keeps what no known
    /// key has signed.
    pub known: LogTree,
    /// The log that was there, and is kept as it was. Of a damaged one it is the tree that it has published; without
    /// entries, if nobody can tell.
    pub kept: LogTree,
    /// What was the matter with it.
    pub cause: AcceptedFor,
}

/// Why a log is followed by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcceptedFor {
    /// An anchor knew another log, or a later one.
    Rollback,
    /// Its files are damaged, its end was cut, or no known key has signed its checkpoint, so that it does not open.
    Damage,
}

/// The tree of one of the logs of an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogTree {
    /// Which of the logs, from 1.
    pub generation: NonZeroU32,
    /// How many leaves it has.
    pub size: u64,
    /// Its root.
    pub root: TreeHash,
}

/// A text that is no generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a generation must be as it was written: put back a copy of it")]
#[non_exhaustive]
pub struct InvalidGeneration;

const HEAD: &str = "portcullis/audit/generation/v1";
const DAMAGED: &str = "damaged";

impl Generation {
    /// The log that an origin begins with.
    pub const FIRST: Self = Self {
        number: NonZeroU32::MIN,
        accepted: None,
    };

    /// The log that is begun after a rollback. Its number is above that of both trees, and at least `number`.
    pub(super) fn after(accepted: AcceptedRollback, number: NonZeroU32) -> Self {
        let [known, kept] = [accepted.known, accepted.kept].map(|tree| tree.generation);
        let above = known.max(kept).saturating_add(1);
        Self {
            number: number.max(above),
            accepted: Some(accepted),
        }
    }

    /// The same, under a number that is not taken. The first stays what it is.
    #[must_use]
    pub fn renumbered(&self, number: NonZeroU32) -> Self {
        match &self.accepted {
            None => Self::FIRST,
            Some(accepted) => Self::after(accepted.clone(), number),
        }
    }

    /// Which of the logs it is, from 1.
    #[must_use]
    pub const fn number(&self) -> NonZeroU32 {
        self.number
    }

    /// The rollback that it was begun after; `None` for the first.
    #[must_use]
    pub const fn accepted(&self) -> Option<&AcceptedRollback> {
        self.accepted.as_ref()
    }

    /// The origin of this log: `base`, and a number behind it from the second on.
    ///
    /// # Errors
    /// [`InvalidKeyName`] if `base` is so long that no number has room behind it.
    pub fn origin(&self, base: &KeyName) -> Result<KeyName, InvalidKeyName> {
        origin_of(base, self.number)
    }
}

/// The origin of one of the logs of `base`.
pub(super) fn origin_of(base: &KeyName, number: NonZeroU32) -> Result<KeyName, InvalidKeyName> {
    if number == NonZeroU32::MIN {
        return Ok(base.clone());
    }
    format!("{base}/{number}").parse()
}

/// Which of the logs of `base` has this origin.
pub(crate) fn number_of(base: &KeyName, origin: &KeyName) -> Option<NonZeroU32> {
    if base == origin {
        return Some(NonZeroU32::MIN);
    }
    let number = origin.as_str().strip_prefix(base.as_str())?;
    let number = parse_number(number.strip_prefix('/')?)?;
    (number > NonZeroU32::MIN).then_some(number)
}

/// Which of two logs of one origin is the earlier, by their own origins; `None` if they have none in common.
pub(crate) fn order_of(one: &KeyName, other: &KeyName) -> Option<Ordering> {
    let stem = one.as_str().rsplit_once('/');
    let stem = stem.and_then(|(stem, _)| stem.parse::<KeyName>().ok());
    let bases = [Some(one), Some(other), stem.as_ref()];
    let ordered = |base| Some(number_of(base, one)?.cmp(&number_of(base, other)?));
    bases.into_iter().flatten().find_map(ordered)
}

fn parse_number(text: &str) -> Option<NonZeroU32> {
    NonZeroU32::new(u32::try_from(decimal(text)?).ok()?)
}

impl LogTree {
    pub(super) const fn new(generation: NonZeroU32, size: u64, root: TreeHash) -> Self {
        Self {
            generation,
            size,
            root,
        }
    }

    /// Which of several says the most.
    pub(super) const fn order(&self) -> (NonZeroU32, u64) {
        (self.generation, self.size)
    }

    /// The tree of a log of which nobody knows how much it had.
    pub(super) fn unknown(generation: NonZeroU32) -> Self {
        Self::new(generation, 0, TreeHash::of_empty_tree())
    }

    fn parse(line: &str, name: &str) -> Option<Self> {
        let mut words = line.strip_prefix(name)?.strip_prefix(' ')?.split(' ');
        let mut next = || words.next();
        let generation = parse_number(next()?)?;
        let size = decimal(next()?)?;
        let root = next()?.parse().ok()?;
        words
            .next()
            .is_none()
            .then_some(Self::new(generation, size, root))
    }
}

impl FromStr for Generation {
    type Err = InvalidGeneration;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let mut lines = text.strip_suffix('\n')?.split('\n');
            let mut next = || lines.next();
            let is_ours = next()? == HEAD;
            let number = parse_number(next()?)?;
            let generation = match next() {
                None => Self {
                    number,
                    accepted: None,
                },
                Some(known) => {
                    let known = LogTree::parse(known, "known")?;
                    let kept = LogTree::parse(next()?, "kept")?;
                    let cause = match next() {
                        None => AcceptedFor::Rollback,
                        Some(_) => AcceptedFor::Damage,
                    };
                    let accepted = AcceptedRollback { known, kept, cause };
                    Self::after(accepted, number)
                }
            };
            (is_ours && generation.to_string() == text).then_some(generation)
        };
        let is_whole = |read: &Self| read.accepted.is_some() || read.number == NonZeroU32::MIN;
        parse().filter(is_whole).ok_or(InvalidGeneration)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}\n{}", self.number)?;
        if let Some(AcceptedRollback { known, kept, cause }) = &self.accepted {
            writeln!(f, "known {known}\nkept {kept}")?;
            if *cause == AcceptedFor::Damage {
                writeln!(f, "{DAMAGED}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for LogTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.generation, self.size, self.root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).expect("it is not zero")
    }

    fn later(cause: AcceptedFor) -> Generation {
        let tree = |generation, size| {
            LogTree::new(
                number(generation),
                size,
                TreeHash::of_leaf(&generation.to_be_bytes()),
            )
        };
        let accepted = AcceptedRollback {
            known: tree(2, 702),
            kept: tree(1, 502),
            cause,
        };
        Generation::after(accepted, NonZeroU32::MIN)
    }

    #[test]
    fn each_log_has_an_origin_that_no_other_has() {
        let base: KeyName = "portcullis.example/audit".parse().expect("a name");
        let second = later(AcceptedFor::Rollback);
        assert_eq!(second.number(), number(3));
        let origins = [
            Generation::FIRST,
            second.clone(),
            second.renumbered(number(7)),
        ];
        let origins = origins.map(|generation| generation.origin(&base).expect("it is short"));
        let texts = origins.each_ref().map(KeyName::as_str);
        assert_eq!(
            texts,
            [
                "portcullis.example/audit",
                "portcullis.example/audit/3",
                "portcullis.example/audit/7"
            ]
        );
        let numbers = origins.each_ref().map(|origin| number_of(&base, origin));
        assert_eq!(numbers, [1, 3, 7].map(|each| Some(number(each))));
        for other in ["/1", "/0", "/03", "/3/", "/x", "3", "/"] {
            let origin = format!("{base}{other}").parse().expect("a name");
            assert_eq!(number_of(&base, &origin), None, "{other}");
            assert_eq!(order_of(&base, &origin), None, "{other}");
        }
        for (earlier, later) in [(0, 1), (0, 2), (1, 2)] {
            let [earlier, later] = [&origins[earlier], &origins[later]];
            assert_eq!(order_of(earlier, later), Some(Ordering::Less));
            assert_eq!(order_of(later, earlier), Some(Ordering::Greater));
            assert_eq!(order_of(later, later), Some(Ordering::Equal));
        }
    }

    #[test]
    fn it_is_read_as_it_was_written_and_no_other_way() {
        let [put_back, damaged] = [AcceptedFor::Rollback, AcceptedFor::Damage].map(later);
        for generation in [Generation::FIRST, put_back.clone(), damaged] {
            let text = generation.to_string();
            let whole = text.strip_suffix("damaged\n");
            assert_eq!(text.parse(), Ok(generation));
            // One that was damaged says as much as one that was put back, and then that it was.
            for end in (0..text.len()).filter(|end| whole.map(str::len) != Some(*end)) {
                if let Ok(read) = text[..end].parse::<Generation>() {
                    panic!("{read:?}");
                }
            }
            assert_eq!(
                format!("{text}\n").parse::<Generation>(),
                Err(InvalidGeneration)
            );
        }
        // A number that was taken before, or a later log without a rollback.
        let taken = put_back.to_string().replacen("\n3\n", "\n2\n", 1);
        assert_eq!(taken.parse::<Generation>(), Err(InvalidGeneration));
        let alone = Generation::FIRST.to_string().replacen("\n1\n", "\n2\n", 1);
        assert_eq!(alone.parse::<Generation>(), Err(InvalidGeneration));
    }
}
