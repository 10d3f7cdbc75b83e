//! A report as Markdown.

pub(super) mod parts;

use std::fmt;

use self::parts::{write_dimensions, write_rejections};
use super::{Report, alike::alike};
use crate::{
    sample::SampleGroup,
    score::{Direction, Score},
};

/// A [`Report`] as Markdown, by `Display`; made by [`Report::markdown`].
#[derive(Clone, Copy, Debug)]
pub struct Markdown<'a>(&'a Report);

impl Report {
    /// The report as Markdown, for a terminal, a ticket or a mail.
    pub fn markdown(&self) -> Markdown<'_> {
        Markdown(self)
    }

    fn write_markdown(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenant = self.tenant.as_deref().unwrap_or("all tenants");
        writeln!(page, "# Data quality: {}\n", cell(tenant))?;
        writeln!(
            page,
            "Events since the service started, at {}.\n",
            self.made_at
        )?;
        if let Some(note) = self.coverage.note() {
            writeln!(page, "**{note}**\n")?;
        }
        match &self.score {
            Some(score) => self.write_score(page, score)?,
            None => writeln!(page, "No score: nothing was judged yet.\n")?,
        }
        let (received, outcomes) = (self.conservation.received, self.conservation.outcomes);
        writeln!(page, "Received {received}, accounted for {outcomes}.\n")?;
        self.write_counts(page)?;
        self.write_event_types(page)?;
        self.write_tenants(page)?;
        self.samples
            .iter()
            .try_for_each(|group| write_samples(page, group))
    }

    fn write_score(&self, page: &mut fmt::Formatter<'_>, score: &Score) -> fmt::Result {
        let direction = way(self.trend.direction);
        writeln!(
            page,
            "Score **{:.1}** of 100 (at least {:.1}, from {} events), trend: {direction}.\n",
            score.value, score.lower_bound, score.events,
        )?;
        write_dimensions(page, &score.dimensions)
    }

    fn write_counts(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(page, "| outcome | events |\n|---|---|")?;
        for (outcome, events) in self.outcomes.iter().filter(|(_, events)| **events > 0) {
            writeln!(page, "| {outcome} | {events} |")?;
        }
        write_rejections(page, &self.rejections)
    }

    fn write_event_types(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.event_types.is_empty() {
            return Ok(());
        }
        writeln!(
            page,
            "\n| event type | score | versions (events) | deprecated |\n|---|---|---|---|"
        )?;
        for event_type in &self.event_types {
            let versions: Vec<String> = event_type
                .versions
                .iter()
                .map(|version| format!("{} ({})", cell(&version.version), version.events))
                .collect();
            let deprecated = points(event_type.deprecated_share.map(|share| 100.0 * share));
            writeln!(
                page,
                "| {} | {} | {} | {deprecated} % |",
                cell(&event_type.event_type),
                points(event_type.score),
                versions.join(", "),
            )?;
        }
        Ok(())
    }

    fn write_tenants(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tenants.is_empty() {
            return Ok(());
        }
        writeln!(
            page,
            "\n| tenant | score | at least | received |\n|---|---|---|---|"
        )?;
        for tenant in &self.tenants {
            let (value, bound) = (points(tenant.score), points(tenant.lower_bound));
            let received = tenant.conservation.received;
            writeln!(
                page,
                "| {} | {value} | {bound} | {received} |",
                cell(&tenant.tenant)
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Markdown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write_markdown(f)
    }
}

fn write_samples(page: &mut fmt::Formatter<'_>, group: &SampleGroup) -> fmt::Result {
    writeln!(page, "\n## Samples: `{}`\n", group.reason)?;
    writeln!(
        page,
        "{} of {} events, each taken with probability {:.4}.\n",
        group.samples.len(),
        group.count,
        group.probability,
    )?;
    writeln!(
        page,
        "| fingerprint | event type | detail | alike | excerpt |\n|---|---|---|---|---|"
    )?;
    for (sample, count) in alike(&group.samples) {
        let (detail, excerpt) = (cell(&sample.detail), cell(&sample.excerpt));
        let event_type = cell(&sample.event_type);
        writeln!(
            page,
            "| {} | {event_type} | {detail} | {count} | {excerpt} |",
            sample.fingerprint
        )?;
    }
    Ok(())
}

/// A number with one decimal, or a dash where there is none.
pub(super) fn points(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.1}"))
}

/// Which way a score goes, in a word.
pub(super) fn way(direction: Option<Direction>) -> &'static str {
    direction.map_or("unknown", Direction::as_str)
}

/// A text that came from outside, unable to end its cell or to become markup.
pub(super) fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '#' | '!' => {
                safe.extend(['\\', character]);
            }
            control if control.is_control() => safe.push(' '),
            other => safe.push(other),
        }
    }
    safe
}
