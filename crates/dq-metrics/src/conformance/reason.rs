//! The contract of `Reason`.

use std::collections::BTreeSet;

use crate::reason::Reason;

/// Checks the taxonomy `R` against the contract of [`Reason`].
///
/// # Panics
/// If the taxonomy breaks a clause; the message names it.
pub fn reason<R: Reason>() {
    the_index_is_the_position::<R>();
    names_are_distinct::<R>();
    names_can_be_labels::<R>();
    reasons_of_a_stage_stand_together::<R>();
}

fn the_index_is_the_position<R: Reason>() {
    for (position, reason) in R::ALL.iter().enumerate() {
        assert_eq!(
            reason.index(),
            position,
            "the index is the position in `ALL`: {reason:?}"
        );
    }
}

fn names_are_distinct<R: Reason>() {
    let mut names = BTreeSet::new();
    for reason in R::ALL {
        let name = reason.facts().name;
        assert!(names.insert(name), "no two reasons share a name: {name}");
    }
}

fn names_can_be_labels<R: Reason>() {
    for reason in R::ALL {
        let name = reason.facts().name;
        let is_plain = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'.'
        };
        assert!(
            name.bytes().all(is_plain) && name.split('.').all(|part| !part.is_empty()),
            "a name is made of lower-case letters, digits, `_` and single dots: {name:?}"
        );
    }
}

fn reasons_of_a_stage_stand_together<R: Reason>() {
    let mut stages = Vec::new();
    for reason in R::ALL {
        let stage = reason.facts().stage();
        if stages.last() != Some(&stage) {
            assert!(
                !stages.contains(&stage),
                "the reasons of one stage stand together: {stage}"
            );
            stages.push(stage);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;
    use crate::{fault::Fault, reason::Facts};

    #[test]
    fn a_sound_taxonomy_passes() {
        reason::<Fault>();
    }

    /// A reason of the taxonomy that `index` and `name` describe.
    macro_rules! taxonomy {
        ($taxonomy:ident, $index:expr, $names:expr) => {
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            struct $taxonomy(usize);

            impl Reason for $taxonomy {
                const ALL: &'static [Self] = &[Self(0), Self(1), Self(2)];

                fn index(self) -> usize {
                    $index(self.0)
                }

                fn facts(self) -> Facts {
                    let names: [&'static str; 3] = $names;
                    Facts::new(names[self.0], "It is wrong.")
                }
            }
        };
    }

    #[test]
    fn each_broken_clause_is_found() {
        taxonomy!(Shuffled, |n: usize| 2 - n, ["a.b", "a.c", "b.d"]);
        taxonomy!(Twice, |n: usize| n, ["a.b", "a.c", "a.b"]);
        taxonomy!(Quoted, |n: usize| n, ["a.b", "a.\"", "b.d"]);
        taxonomy!(Empty, |n: usize| n, ["", "a.c", "b.d"]);
        taxonomy!(Scattered, |n: usize| n, ["a.b", "b.c", "a.d"]);
        taxonomy!(Sound, |n: usize| n, ["a.b", "a.c", "b.d"]);
        for broken in [
            reason::<Shuffled>,
            reason::<Twice>,
            reason::<Quoted>,
            reason::<Empty>,
            reason::<Scattered>,
        ] {
            assert!(catch_unwind(broken).is_err());
        }
        reason::<Sound>();
    }
}
