//! The contract of `Reason`.

use std::collections::BTreeSet;

use super::{Clause, clauses};
use crate::reason::Reason;

/// Checks the taxonomy `R` against the contract of [`Reason`].
///
/// # Panics
/// The taxonomy breaks the contract. The message names the clause.
pub fn reason<R: Reason>() {
    clauses! { "Reason";
        the_index_is_the_position::<R>();
        no_two_reasons_share_a_name::<R>();
        a_name_can_be_a_label::<R>();
        reasons_of_one_stage_stand_together::<R>();
    }
}

fn the_index_is_the_position<R: Reason>(clause: Clause) {
    for (position, reason) in R::ALL.iter().enumerate() {
        clause.same(&format!("of {reason:?}"), reason.index(), position);
    }
}

fn no_two_reasons_share_a_name<R: Reason>(clause: Clause) {
    let mut names = BTreeSet::new();
    for reason in R::ALL {
        let name = reason.facts().name;
        clause.holds(names.insert(name), format_args!("{name} twice"));
    }
}

/// It is made of lower-case letters, digits, `_` and single dots.
fn a_name_can_be_a_label<R: Reason>(clause: Clause) {
    for reason in R::ALL {
        let name = reason.facts().name;
        let is_plain = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'.'
        };
        let is_label = name.bytes().all(is_plain) && name.split('.').all(|part| !part.is_empty());
        clause.holds(is_label, format_args!("{name:?}"));
    }
}

fn reasons_of_one_stage_stand_together<R: Reason>(clause: Clause) {
    let mut stages = Vec::new();
    for reason in R::ALL {
        let stage = reason.facts().stage();
        if stages.last() != Some(&stage) {
            let is_new = !stages.contains(&stage);
            clause.holds(
                is_new,
                format_args!("{stage} comes again after another stage"),
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
        let broken: [(fn(), &str); 5] = [
            (
                reason::<Shuffled>,
                "the index is the position: of Shuffled(0): 2, not 0",
            ),
            (reason::<Twice>, "no two reasons share a name: a.b twice"),
            (reason::<Quoted>, r#"a name can be a label: "a.\"""#),
            (reason::<Empty>, r#"a name can be a label: """#),
            (
                reason::<Scattered>,
                "reasons of one stage stand together: a comes again after another stage",
            ),
        ];
        for (suite, clause) in broken {
            let panic = catch_unwind(suite).unwrap_err();
            let message = panic.downcast_ref::<String>().unwrap();
            assert_eq!(*message, format!("`Reason`: {clause}"));
        }
        reason::<Sound>();
    }
}
