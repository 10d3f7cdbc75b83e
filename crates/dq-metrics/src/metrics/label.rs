//! What tells the series of one metric apart.

/// A label of a metric: its name, and its values where all of them are known beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricLabel {
    name: &'static str,
    values: Option<Vec<&'static str>>,
}

impl MetricLabel {
    /// One whose values come from what is counted.
    pub(crate) const fn open(name: &'static str) -> Self {
        Self { name, values: None }
    }

    /// One that has no other values than these.
    pub(crate) fn closed(
        name: &'static str,
        values: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        Self {
            name,
            values: Some(values.into_iter().collect()),
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Every value that it can have; `None` where they come from what is counted.
    #[must_use]
    pub fn values(&self) -> Option<&[&'static str]> {
        self.values.as_deref()
    }
}
