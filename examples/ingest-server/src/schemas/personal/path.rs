//! A place in an instance, as steps from its root.

use std::fmt::Write as _;

use serde_json::Value;

use crate::json::escaped;

/// Some values of an instance: one, or the items of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Property(String),
    Item(usize),
    ItemsFrom(usize),
}

impl DataPath {
    pub(super) fn new(steps: &[Step]) -> Self {
        Self(steps.to_vec())
    }

    /// Calls `found` with the JSON pointer and the value of everything at this place.
    pub(crate) fn visit<'a>(&self, data: &'a Value, found: &mut impl FnMut(&str, &'a Value)) {
        // Room for every pointer at once: this is done for each place of each event.
        let mut pointer = String::with_capacity(self.longest_pointer());
        visit(&self.0, data, &mut pointer, found);
    }

    /// The most bytes of the pointers of values at this place.
    pub(super) fn longest_pointer(&self) -> usize {
        let step = |step: &Step| match step {
            Step::Property(name) => escaped(name).len(),
            Step::Item(_) | Step::ItemsFrom(_) => INDEX_DIGITS,
        };
        self.0.iter().map(|of| 1 + step(of)).sum()
    }

    /// Whether some value can stand at both places.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let steps = self.0.iter().zip(&other.0);
        self.0.len() == other.0.len() && steps.into_iter().all(|(step, other)| step.meets(other))
    }
}

impl Step {
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Property(name), Self::Property(other)) => name == other,
            (Self::Item(index), Self::Item(other)) => index == other,
            (Self::Item(index), Self::ItemsFrom(first))
            | (Self::ItemsFrom(first), Self::Item(index)) => index >= first,
            (Self::ItemsFrom(_), Self::ItemsFrom(_)) => true,
            (Self::Property(_), _) | (_, Self::Property(_)) => false,
        }
    }
}

/// An index into data of at most 1 MiB has no more.
const INDEX_DIGITS: usize = 7;

/// One pointer for all values: it grows by a step on the way down, and is cut again.
fn visit<'a>(
    steps: &[Step],
    value: &'a Value,
    pointer: &mut String,
    found: &mut impl FnMut(&str, &'a Value),
) {
    let Some((step, rest)) = steps.split_first() else {
        found(pointer, value);
        return;
    };
    let above = pointer.len();
    let mut item = |index: usize, item: &'a Value| {
        // Text takes whatever is written to it.
        let _ = write!(pointer, "/{index}");
        visit(rest, item, pointer, found);
        pointer.truncate(above);
    };
    match (step, value) {
        (Step::Property(name), Value::Object(members)) => {
            if let Some(member) = members.get(name) {
                pointer.push('/');
                pointer.push_str(&escaped(name));
                visit(rest, member, pointer, found);
                pointer.truncate(above);
            }
        }
        (Step::Item(index), Value::Array(items)) => {
            if let Some(value) = items.get(*index) {
                item(*index, value);
            }
        }
        (Step::ItemsFrom(first), Value::Array(items)) => {
            for (index, value) in items.iter().enumerate().skip(*first) {
                item(index, value);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_overlap_where_a_value_can_stand_at_both() {
        use Step::{Item, ItemsFrom};
        let property = |name: &str| Step::Property(name.to_owned());
        for (one, other, expected) in [
            (vec![], vec![], true),
            (vec![property("a")], vec![property("a")], true),
            (vec![property("a")], vec![property("b")], false),
            (vec![property("a")], vec![], false),
            (vec![property("0")], vec![Item(0)], false),
            (vec![Item(1)], vec![Item(1)], true),
            (vec![Item(1)], vec![Item(2)], false),
            (vec![Item(1)], vec![ItemsFrom(1)], true),
            (vec![Item(1)], vec![ItemsFrom(2)], false),
            (vec![ItemsFrom(0)], vec![ItemsFrom(7)], true),
            (
                vec![property("a"), ItemsFrom(0), property("b")],
                vec![property("a"), Item(3), property("b")],
                true,
            ),
        ] {
            let (one, other) = (DataPath::new(&one), DataPath::new(&other));
            assert_eq!(one.overlaps(&other), expected, "{one:?} {other:?}");
            assert_eq!(other.overlaps(&one), expected, "{other:?} {one:?}");
        }
    }
}
