//! What was received on a day, against what is accounted for.

use super::Day;
use crate::conservation::Conservation;

/// What is counted in one row: all that came from a tenant on a day.
///
/// Both sides of a [`Conservation`] are read by one writer at one moment, so that they can be compared whichever
/// processes wrote, and whatever their versions counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct ReceiptKey {
    /// When it was counted.
    pub day: Day,
    /// Whose it was, as a label: possibly `__other__` or `__unknown__`.
    pub tenant: String,
}

/// What was received on a day, and what is accounted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiptSum {
    /// The day.
    pub day: Day,
    /// Both, of the tenants that were asked for.
    pub conservation: Conservation,
}

impl ReceiptKey {
    /// What came from this tenant on that day.
    pub fn new(day: Day, tenant: &str) -> Self {
        let tenant = tenant.to_owned();
        Self { day, tenant }
    }
}

impl ReceiptSum {
    /// What is known of a day.
    pub const fn new(day: Day, conservation: Conservation) -> Self {
        Self { day, conservation }
    }
}
