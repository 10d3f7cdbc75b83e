//! A report on days as one page of HTML that needs nothing else: no script, no font, no image from outside.

use std::fmt;

use super::{
    GroupReport, PeriodReport,
    plot::{EventPlot, ScorePlot},
    receipts::Receipts,
    rejected,
    versions::lifecycle,
};
use crate::report::{
    alike::alike,
    html::{
        Escaped, STYLE,
        parts::{write_bar, write_dimensions, write_rejections, write_sample},
    },
    markdown::{points, way},
};

/// A [`PeriodReport`] as an HTML page, by `Display`; made by [`PeriodReport::html`].
#[derive(Clone, Copy, Debug)]
pub struct PeriodHtml<'a>(&'a PeriodReport);

/// What plots add to the style of all reports.
const PLOT_STYLE: &str = "\
figure{margin:1.5rem 0}figcaption{margin-bottom:.4rem}.k{white-space:nowrap;margin-right:.6rem}\
.p{display:block;width:100%;height:8rem}.x{display:flex;justify-content:space-between;font-size:13px}";

impl PeriodReport {
    /// The report as one HTML page.
    ///
    /// # Security
    /// Every text that came from outside is escaped and the page has no script; serve it with
    /// `Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'` all the same.
    pub fn html(&self) -> PeriodHtml<'_> {
        PeriodHtml(self)
    }

    fn write_html(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenant = Escaped(self.tenant.as_deref().unwrap_or("all tenants"));
        let (from, to) = (self.days.from(), self.days.to());
        write!(
            page,
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\">\
             <title>Data quality: {tenant}</title><style>{STYLE}{PLOT_STYLE}</style>\
             <h1>Data quality: {tenant}</h1>\
             <p>{} events from <time>{from}</time> to <time>{to}</time> (UTC), at <time>{}</time>.</p>",
            self.events, self.made_at,
        )?;
        self.write_summary(page)?;
        write!(page, "<p>{}</p>", Receipts(self))?;
        write!(page, "{}{}", EventPlot(self), ScorePlot(self))?;
        self.write_day_table(page)?;
        self.write_outcome_tables(page)?;
        write_groups(page, "Event types", "event type", &self.event_types)?;
        self.write_version_table(page)?;
        write_groups(page, "Tenants", "tenant", &self.tenants)?;
        self.write_sample_list(page)?;
        page.write_str("</html>\n")
    }

    fn write_summary(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(score) = &self.score else {
            return page.write_str("<p>No score: nothing was judged in these days.</p>");
        };
        let direction = way(self.trend.direction);
        write!(
            page,
            "<p><span class=\"score\">{:.1}</span> of 100, at least {:.1}, from {} events; \
             earlier half {}, later half {}: {direction}</p>",
            score.value,
            score.lower_bound,
            score.events,
            points(self.trend.earlier),
            points(self.trend.later),
        )?;
        write_dimensions(page, &score.dimensions)
    }

    /// The numbers behind the plots.
    fn write_day_table(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        page.write_str(
            "<details><summary>Each day in numbers</summary><div class=\"t\"><table>\
             <tr><th>day<th class=\"n\">events<th class=\"n\">rejected<th class=\"n\">score<th class=\"n\">at least",
        )?;
        for day in &self.by_day {
            let rejected = rejected(&day.outcomes);
            write!(
                page,
                "<tr><td><time>{}</time><td class=\"n\">{}<td class=\"n\">{rejected}<td class=\"n\">{}\
                 <td class=\"n\">{}",
                day.day,
                day.events,
                points(day.score),
                points(day.lower_bound),
            )?;
        }
        page.write_str("</table></div></details>")
    }

    fn write_outcome_tables(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        page.write_str("<div class=\"t\"><table><tr><th>outcome<th class=\"n\">events")?;
        for (outcome, events) in &self.outcomes {
            write!(page, "<tr><td>{}<td class=\"n\">{events}", Escaped(outcome))?;
        }
        page.write_str("</table></div>")?;
        if !self.rejections.is_empty() || !self.unknown.is_empty() {
            write_rejections(page, &self.rejections, |page| {
                self.unknown.iter().try_for_each(|(name, events)| {
                    let name = Escaped(name);
                    write!(
                        page,
                        "<tr><td><code>{name}</code><td class=\"n\">{events}<td><td class=\"w\">Of another version."
                    )
                })
            })?;
        }
        Ok(())
    }

    fn write_version_table(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.versions.is_empty() {
            return Ok(());
        }
        page.write_str(
            "<h2>Schema versions</h2><div class=\"t\"><table><tr><th>event type<th>version<th>lifecycle\
             <th class=\"n\">events<th>last seen<th class=\"n\">deprecated, %",
        )?;
        for of_type in &self.versions {
            let (name, share) = (Escaped(&of_type.event_type), of_type.deprecated_share);
            let deprecated = points(share.map(|share| 100.0 * share));
            for version in &of_type.versions {
                write!(
                    page,
                    "<tr><td><code>{name}</code><td><code>{}</code><td>{}<td class=\"n\">{}\
                     <td><time>{}</time><td class=\"n\">{deprecated}",
                    Escaped(&version.version),
                    lifecycle(version),
                    version.events,
                    version.last_seen,
                )?;
            }
        }
        page.write_str("</table></div>")
    }

    fn write_sample_list(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        for group in &self.samples {
            let (reason, taken) = (Escaped(&group.reason), group.samples.len());
            write!(
                page,
                "<h2>Samples: <code>{reason}</code></h2><p>{taken} of {} events.</p>",
                group.count
            )?;
            for (sample, count) in alike(&group.samples) {
                let named = (sample.fingerprint, sample.taken_at);
                write_sample(page, sample, named, count)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for PeriodHtml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write_html(f)
    }
}

fn write_groups(
    page: &mut fmt::Formatter<'_>,
    title: &str,
    what: &str,
    groups: &[GroupReport],
) -> fmt::Result {
    if groups.is_empty() {
        return Ok(());
    }
    write!(
        page,
        "<h2>{title}</h2><div class=\"t\"><table class=\"r\"><tr><th>{what}<th class=\"n\">score<th class=\"b\">\
         <th class=\"n\">events<th class=\"n\">rejected"
    )?;
    for group in groups {
        let (name, score) = (Escaped(&group.name), points(group.score));
        write!(
            page,
            "<tr><td><code>{name}</code><td class=\"n\">{score}<td class=\"b\">"
        )?;
        write_bar(page, group.score, group.lower_bound)?;
        let rejected = rejected(&group.outcomes);
        write!(
            page,
            "<td class=\"n\">{}<td class=\"n\">{rejected}",
            group.events
        )?;
    }
    page.write_str("</table></div>")
}
