//! A report as one page of HTML that needs nothing else: no script, no font, no image from outside.

pub(super) mod parts;

use std::fmt::{self, Write};

use self::parts::{write_bar, write_dimensions, write_rejections, write_sample};
use super::{
    Report,
    alike::alike,
    markdown::{points, way},
};

/// A [`Report`] as an HTML page, by `Display`; made by [`Report::html`].
#[derive(Clone, Copy, Debug)]
pub struct Html<'a>(&'a Report);

/// A text that came from outside, as HTML text or attribute value.
pub(super) struct Escaped<'a>(pub(super) &'a str);

/// A bar from 0 to 100, as SVG, and where the 95 % interval begins.
pub(super) struct Bar {
    pub(super) value: f64,
    pub(super) lower_bound: f64,
}

// Tables wider than the window scroll by themselves; only what stands in `pre` may be broken anywhere. In a narrow
// window, a row of a table of the class `r` has its bar, or what to do, in a line of its own below the rest, and a
// long name is broken.
pub(super) const STYLE: &str = "\
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}\
h1,h2{overflow-wrap:anywhere}.t{overflow-x:auto;margin:1rem 0}\
table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d8dee4;vertical-align:top}\
th{white-space:nowrap}th.n,td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\
.b{width:200px}.b svg{display:block;margin-top:.4rem}\
code,pre{font:13px/1.4 ui-monospace,monospace}td code{white-space:nowrap}\
pre{white-space:pre-wrap;overflow-wrap:anywhere}time{white-space:nowrap}\
.score{font-size:3rem;font-weight:600}.critical,.error{color:#b42318}.warning{color:#93590a}\
@media(max-width:40rem){th.b,th.w{display:none}th{white-space:normal}th,td{padding:.3rem}\
.r{display:grid;grid-template-columns:minmax(6rem,1fr) repeat(3,auto)}.r tbody{display:contents}\
.r tr{display:grid;grid-column:1/-1;grid-template-columns:subgrid;border-bottom:1px solid #d8dee4}\
.r th,.r td{border:0}.r td.b,.r td.w{order:1;grid-column:1/-1;width:auto;padding-top:0}\
.r td.b:empty{display:none}.b svg{width:100%;margin:0 0 .2rem}\
.r td:first-child,.r td:first-child code{white-space:normal;overflow-wrap:anywhere}}\
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}th,td,.r tr{border-color:#30363d}\
.critical,.error{color:#ff8a7a}.warning{color:#e3b341}}";

impl Report {
    /// The report as one HTML page.
    ///
    /// # Security
    /// Every text that came from outside is escaped and the page has no script; serve it with
    /// `Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'` all the same.
    pub fn html(&self) -> Html<'_> {
        Html(self)
    }

    fn write_html(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenant = Escaped(self.tenant.as_deref().unwrap_or("all tenants"));
        write!(
            page,
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\">\
             <title>Data quality: {tenant}</title><style>{STYLE}</style><h1>Data quality: {tenant}</h1>\
             <p>Events since the service started, at <time>{}</time>.</p>",
            self.made_at,
        )?;
        if let Some(note) = self.coverage.note() {
            write!(page, "<p><strong>{note}</strong></p>")?;
        }
        self.write_summary(page)?;
        self.write_outcomes(page)?;
        self.write_reasons(page)?;
        self.write_types(page)?;
        self.write_all_tenants(page)?;
        self.write_sample_list(page)?;
        page.write_str("</html>\n")
    }

    fn write_summary(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(score) = &self.score else {
            return page.write_str("<p>No score: nothing was judged yet.</p>");
        };
        let direction = way(self.trend.direction);
        write!(
            page,
            "<p><span class=\"score\">{:.1}</span> of 100, at least {:.1}, from {} events; \
             5 minutes {}, 1 hour {}: {direction}</p>",
            score.value,
            score.lower_bound,
            score.events,
            points(self.trend.five_minutes),
            points(self.trend.one_hour),
        )?;
        write_dimensions(page, &score.dimensions)
    }

    fn write_outcomes(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (received, outcomes) = (self.conservation.received, self.conservation.outcomes);
        write!(
            page,
            "<p>Received {received}, accounted for {outcomes}.</p>"
        )?;
        page.write_str("<div class=\"t\"><table><tr><th>outcome<th class=\"n\">events")?;
        for (outcome, events) in self.outcomes.iter().filter(|(_, events)| **events > 0) {
            write!(page, "<tr><td>{outcome}<td class=\"n\">{events}")?;
        }
        page.write_str("</table></div>")
    }

    fn write_reasons(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rejections.is_empty() {
            return Ok(());
        }
        write_rejections(page, &self.rejections, |_| Ok(()))
    }

    fn write_types(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.event_types.is_empty() {
            return Ok(());
        }
        page.write_str(
            "<h2>Event types</h2><div class=\"t\"><table class=\"r\"><tr><th>event type<th class=\"n\">score\
             <th>versions (events)<th class=\"n\">deprecated",
        )?;
        for event_type in &self.event_types {
            let deprecated = points(event_type.deprecated_share.map(|share| 100.0 * share));
            let name = Escaped(&event_type.event_type);
            write!(
                page,
                "<tr><td><code>{name}</code><td class=\"n\">{}<td>",
                points(event_type.score)
            )?;
            for version in &event_type.versions {
                write!(page, "{} ({}) ", Escaped(&version.version), version.events)?;
            }
            write!(page, "<td class=\"n\">{deprecated} %")?;
        }
        page.write_str("</table></div>")
    }

    fn write_all_tenants(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tenants.is_empty() {
            return Ok(());
        }
        page.write_str(
            "<h2>Tenants</h2><div class=\"t\"><table class=\"r\"><tr><th>tenant<th class=\"n\">score<th class=\"b\">\
             <th class=\"n\">received",
        )?;
        for tenant in &self.tenants {
            write!(
                page,
                "<tr><td>{}<td class=\"n\">{}<td class=\"b\">",
                Escaped(&tenant.tenant),
                points(tenant.score)
            )?;
            write_bar(page, tenant.score, tenant.lower_bound)?;
            write!(page, "<td class=\"n\">{}", tenant.conservation.received)?;
        }
        page.write_str("</table></div>")
    }

    fn write_sample_list(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        for group in &self.samples {
            write!(
                page,
                "<h2>Samples: <code>{}</code></h2><p>{} of {} events, each taken with probability {:.4}.</p>",
                group.reason,
                group.samples.len(),
                group.count,
                group.probability,
            )?;
            for (sample, count) in alike(&group.samples) {
                let named = (sample.fingerprint, sample.taken_at);
                write_sample(page, sample, named, count)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Html<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write_html(f)
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value, lower_bound } = self;
        write!(
            f,
            "<svg width=\"200\" height=\"10\" viewBox=\"0 0 100 5\" preserveAspectRatio=\"none\" \
             role=\"img\" aria-label=\"{value:.1} of 100\"><rect width=\"100\" height=\"5\" \
             fill=\"#8884\"/><rect width=\"{value:.2}\" height=\"5\" fill=\"#2da44e88\"/>\
             <rect width=\"{lower_bound:.2}\" height=\"5\" fill=\"#2da44e\"/></svg>",
        )
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}
