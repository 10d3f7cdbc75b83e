//! The first of some that are in their order.

use std::ops::Range;

/// A search for the first of some numbers, as of leaves or bundles, of which something no longer holds that holds of those
/// before it. It asks, and the caller finds out, in the way that they read.
///
/// ```
/// use portcullis_audit_log::search::Bisection;
///
/// let times = [3, 5, 5, 8];
/// let mut bisection = Bisection::of(0..4);
/// while let Some(n) = bisection.asks() {
///     bisection.is_before(times[n as usize] < 5);
/// }
/// assert_eq!(bisection.first(), 1);
/// ```
#[derive(Debug, Clone)]
pub struct Bisection(Range<u64>);

impl Bisection {
    /// Among these.
    #[must_use]
    pub const fn of(range: Range<u64>) -> Self {
        Self(range)
    }

    /// Of which number it is to be found out; `None` once the first is found.
    #[must_use]
    pub const fn asks(&self) -> Option<u64> {
        let Range { start, end } = self.0;
        if start < end {
            Some(start + (end - start) / 2)
        } else {
            None
        }
    }

    /// Whether what is searched comes behind the number that it [asks](Self::asks) for.
    pub const fn is_before(&mut self, is_before: bool) {
        match self.asks() {
            Some(asked) if is_before => self.0.start = asked + 1,
            Some(asked) => self.0.end = asked,
            None => {}
        }
    }

    /// The first that it is known not to be before; the end of the range if there is none.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.0.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_found_wherever_it_is() {
        for end in 0..20 {
            for first in 3..=end.max(3) {
                let mut bisection = Bisection::of(3..end.max(3));
                while let Some(asked) = bisection.asks() {
                    assert!((3..end).contains(&asked));
                    bisection.is_before(asked < first);
                }
                assert_eq!(bisection.first(), first);
            }
        }
        let mut large = Bisection::of(0..u64::MAX);
        let mut asked = 0;
        while let Some(n) = large.asks() {
            large.is_before(n < u64::MAX - 1);
            asked += 1;
        }
        assert_eq!((large.first(), asked), (u64::MAX - 1, 64));
    }
}
