//! What reports in Markdown have in common, whatever time they are about.

use std::fmt;

use super::points;
use crate::{report::Rejections, score::DimensionScore};

/// The table of dimensions, and the empty line behind it.
pub(in crate::report) fn write_dimensions(
    page: &mut fmt::Formatter<'_>,
    dimensions: &[DimensionScore],
) -> fmt::Result {
    writeln!(
        page,
        "| dimension | score | at least | events |\n|---|---|---|---|"
    )?;
    for dimension in dimensions {
        let (value, bound) = (points(dimension.value), points(dimension.lower_bound));
        let (name, events) = (dimension.dimension, dimension.events);
        writeln!(page, "| {name} | {value} | {bound} | {events} |")?;
    }
    writeln!(page)
}

/// The table of rejections and what to do, if there are any.
pub(in crate::report) fn write_rejections(
    page: &mut fmt::Formatter<'_>,
    rejections: &[Rejections],
) -> fmt::Result {
    if !rejections.is_empty() {
        writeln!(
            page,
            "\n| reason | events | severity | what to do |\n|---|---|---|---|"
        )?;
    }
    for rejections in rejections {
        let (reason, events) = (rejections.reason, rejections.events);
        let (severity, remedy) = (rejections.severity, rejections.remediation);
        writeln!(page, "| `{reason}` | {events} | {severity} | {remedy} |")?;
    }
    Ok(())
}
