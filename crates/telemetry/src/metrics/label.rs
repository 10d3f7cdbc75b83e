//! What tells the series of one metric apart.

/// A label of a metric: its name, and its values where all of them are known beforehand.
///
/// Where a label has no such list, its name alone will do: `"route"` becomes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    name: &'static str,
    values: Option<Vec<String>>,
}

impl Label {
    /// A label that has one of these values in every series.
    ///
    /// It is what [descriptions](super::MetricDescription) say of it. What does not keep to it is shown all the
    /// same: a value that somebody forgot to list must not be lost.
    #[must_use]
    pub fn closed(name: &'static str, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        Self {
            name,
            values: Some(values),
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Every value that it can have, in the order in which they were listed; `None` where there is no list.
    #[must_use]
    pub fn values(&self) -> Option<&[String]> {
        self.values.as_deref()
    }
}

impl From<&'static str> for Label {
    fn from(name: &'static str) -> Self {
        Self { name, values: None }
    }
}
