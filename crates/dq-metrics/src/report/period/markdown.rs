//! A report on days as Markdown.

use std::fmt;

use super::{
    GroupReport, PeriodReport, PeriodSamples, receipts::Receipts, rejected, versions::lifecycle,
};
use crate::{
    report::{
        alike::alike,
        markdown::{
            cell,
            parts::{write_dimensions, write_rejections},
            points, way,
        },
    },
    score::Score,
};

/// A [`PeriodReport`] as Markdown, by `Display`; made by [`PeriodReport::markdown`].
#[derive(Clone, Copy, Debug)]
pub struct PeriodMarkdown<'a>(&'a PeriodReport);

impl PeriodReport {
    /// The report as Markdown, for a terminal, a ticket or a mail.
    pub fn markdown(&self) -> PeriodMarkdown<'_> {
        PeriodMarkdown(self)
    }

    fn write_markdown(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenant = self.tenant.as_deref().unwrap_or("all tenants");
        let (from, to) = (self.days.from(), self.days.to());
        writeln!(page, "# Data quality: {}\n", cell(tenant))?;
        writeln!(
            page,
            "{} events from {from} to {to} (UTC), at {}.\n",
            self.events, self.made_at
        )?;
        match &self.score {
            Some(score) => self.write_score(page, score)?,
            None => writeln!(page, "No score: nothing was judged in these days.\n")?,
        }
        writeln!(page, "{}\n", Receipts(self))?;
        self.write_days(page)?;
        self.write_counts(page)?;
        write_groups(page, "event type", &self.event_types)?;
        self.write_versions(page)?;
        write_groups(page, "tenant", &self.tenants)?;
        self.samples
            .iter()
            .try_for_each(|samples| write_samples(page, samples))
    }

    fn write_score(&self, page: &mut fmt::Formatter<'_>, score: &Score) -> fmt::Result {
        let direction = way(self.trend.direction);
        writeln!(
            page,
            "Score **{:.1}** of 100 (at least {:.1}, from {} events), trend: {direction} \
             (earlier half {}, later half {}).\n",
            score.value,
            score.lower_bound,
            score.events,
            points(self.trend.earlier),
            points(self.trend.later),
        )?;
        write_dimensions(page, &score.dimensions)
    }

    fn write_days(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            page,
            "| day | events | rejected | score | at least |\n|---|---|---|---|---|"
        )?;
        for day in self.by_day.iter().filter(|day| day.events > 0) {
            let rejected = rejected(&day.outcomes);
            let (value, bound) = (points(day.score), points(day.lower_bound));
            writeln!(
                page,
                "| {} | {} | {rejected} | {value} | {bound} |",
                day.day, day.events
            )?;
        }
        writeln!(page)
    }

    fn write_versions(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.versions.is_empty() {
            return Ok(());
        }
        writeln!(
            page,
            "\n| event type | version | lifecycle | events | last seen | deprecated |\n|---|---|---|---|---|---|"
        )?;
        for of_type in &self.versions {
            let deprecated = points(of_type.deprecated_share.map(|share| 100.0 * share));
            for version in &of_type.versions {
                writeln!(
                    page,
                    "| {} | {} | {} | {} | {} | {deprecated} % |",
                    cell(&of_type.event_type),
                    cell(&version.version),
                    lifecycle(version),
                    version.events,
                    version.last_seen,
                )?;
            }
        }
        Ok(())
    }

    fn write_counts(&self, page: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(page, "| outcome | events |\n|---|---|")?;
        for (outcome, events) in &self.outcomes {
            writeln!(page, "| {} | {events} |", cell(outcome))?;
        }
        write_rejections(page, &self.rejections)?;
        if !self.unknown.is_empty() {
            writeln!(page, "\n| of another version | events |\n|---|---|")?;
        }
        for (name, events) in &self.unknown {
            writeln!(page, "| {} | {events} |", cell(name))?;
        }
        Ok(())
    }
}

impl fmt::Display for PeriodMarkdown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write_markdown(f)
    }
}

fn write_groups(page: &mut fmt::Formatter<'_>, what: &str, groups: &[GroupReport]) -> fmt::Result {
    if groups.is_empty() {
        return Ok(());
    }
    writeln!(
        page,
        "\n| {what} | events | rejected | score | at least |\n|---|---|---|---|---|"
    )?;
    for group in groups {
        let rejected = rejected(&group.outcomes);
        let (value, bound) = (points(group.score), points(group.lower_bound));
        let (name, events) = (cell(&group.name), group.events);
        writeln!(
            page,
            "| {name} | {events} | {rejected} | {value} | {bound} |"
        )?;
    }
    Ok(())
}

fn write_samples(page: &mut fmt::Formatter<'_>, group: &PeriodSamples) -> fmt::Result {
    writeln!(page, "\n## Samples: `{}`\n", group.reason)?;
    writeln!(page, "{} of {} events.\n", group.samples.len(), group.count)?;
    writeln!(
        page,
        "| day | event type | detail | alike | excerpt |\n|---|---|---|---|---|"
    )?;
    for (sample, count) in alike(&group.samples) {
        let (detail, excerpt) = (cell(&sample.detail), cell(&sample.excerpt));
        let (day, event_type) = (sample.day, cell(&sample.event_type));
        writeln!(
            page,
            "| {day} | {event_type} | {detail} | {count} | {excerpt} |"
        )?;
    }
    Ok(())
}
