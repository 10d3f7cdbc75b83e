//! What pages of reports have in common, whatever time they are about.

use std::fmt;

use super::{Bar, Escaped};
use crate::{
    report::{Rejections, alike::Looks, markdown::points},
    score::DimensionScore,
};

/// The rows of a table of dimensions, and its end.
pub(in crate::report) fn write_dimensions(
    page: &mut fmt::Formatter<'_>,
    dimensions: &[DimensionScore],
) -> fmt::Result {
    page.write_str(
        "<div class=\"t\"><table class=\"r\"><tr><th>dimension<th class=\"n\">score<th class=\"b\">\
         <th class=\"n\">events",
    )?;
    for dimension in dimensions {
        let (name, value) = (dimension.dimension, dimension.value);
        write!(
            page,
            "<tr><td>{name}<td class=\"n\">{}<td class=\"b\">",
            points(value)
        )?;
        write_bar(page, value, dimension.lower_bound)?;
        write!(page, "<td class=\"n\">{}", dimension.events)?;
    }
    page.write_str("</table></div>")
}

/// The bar of a score, where there is one.
pub(in crate::report) fn write_bar(
    page: &mut fmt::Formatter<'_>,
    value: Option<f64>,
    lower_bound: Option<f64>,
) -> fmt::Result {
    match (value, lower_bound) {
        (Some(value), Some(lower_bound)) => write!(page, "{}", Bar { value, lower_bound }),
        _ => Ok(()),
    }
}

/// The table of rejections and what to do, with `further` rows before its end.
pub(in crate::report) fn write_rejections(
    page: &mut fmt::Formatter<'_>,
    rejections: &[Rejections],
    further: impl FnOnce(&mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    page.write_str(
        "<h2>Rejections</h2><div class=\"t\"><table class=\"r\"><tr><th>reason<th class=\"n\">events<th>severity\
         <th class=\"w\">what to do",
    )?;
    for rejections in rejections {
        write!(
            page,
            "<tr><td><code>{}</code><td class=\"n\">{}<td class=\"{severity}\">{severity}\
             <td class=\"w\">{}",
            rejections.reason,
            rejections.events,
            rejections.remediation,
            severity = rejections.severity,
        )?;
    }
    further(page)?;
    page.write_str("</table></div>")
}

/// A sample, and how many look like it.
pub(in crate::report) fn write_sample(
    page: &mut fmt::Formatter<'_>,
    sample: &impl Looks,
    (fingerprint, taken_at): (impl fmt::Display, impl fmt::Display),
    count: usize,
) -> fmt::Result {
    let (event_type, detail) = sample.told_apart();
    write!(
        page,
        "<p><code>{fingerprint}</code> {} {} <time>{taken_at}</time>",
        Escaped(event_type),
        Escaped(detail),
    )?;
    if count > 1 {
        write!(page, " (and {} that look like it)", count - 1)?;
    }
    write!(page, "</p><pre>{}</pre>", Escaped(sample.excerpt()))
}
