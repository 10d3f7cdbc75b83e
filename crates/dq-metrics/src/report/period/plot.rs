//! Plots over days, as SVG that fits any width.

use std::fmt;

use super::{DayReport, PeriodReport};
use crate::score::as_f64;

/// Width of a day and of its column, and height of a plot, in units of the drawing.
const DAY: f64 = 10.0;
const COLUMN: f64 = 8.0;
const HEIGHT: f64 = 100.0;

/// Points that a plot of scores shows at least.
const LEAST_RANGE: f64 = 10.0;

/// What a column of events is made of, from the bottom: the outcomes, their colour and name.
const LAYERS: [(&[&str], &str, &str); 5] = [
    (&["accepted", "modified"], "#2da44e", "stored"),
    (
        &["duplicate_natural", "duplicate_conflicting"],
        "#4493f8",
        "duplicates",
    ),
    (&["rejected"], "#cf222e", "rejected"),
    (&["rate_limited", "lost"], "#bf8700", "limited or lost"),
    (&["filtered"], "#8250df", "left out on purpose"),
];

/// How many events of each day ended how.
pub(super) struct EventPlot<'a>(pub(super) &'a PeriodReport);

/// The score of each day, and where its 95 % interval begins.
pub(super) struct ScorePlot<'a>(pub(super) &'a PeriodReport);

/// The part of a column between two heights, from the bottom.
struct Block {
    day: usize,
    from: f64,
    to: f64,
    colour: &'static str,
}

impl fmt::Display for EventPlot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = &self.0.by_day;
        let most = days.iter().map(|day| day.events).max().unwrap_or_default();
        f.write_str("<figure><figcaption>Events a day: ")?;
        // What never came needs no colour to be told by.
        for (outcomes, colour, name) in LAYERS {
            if days.iter().all(|day| events_of(day, outcomes) == 0) {
                continue;
            }
            write!(
                f,
                "<span class=\"k\"><svg width=\"10\" height=\"10\" aria-hidden=\"true\">\
                       <rect width=\"10\" height=\"10\" fill=\"{colour}\"/></svg> {name}</span> "
            )?;
        }
        write!(f, "(most: {most})</figcaption>")?;
        begin(
            f,
            days.len(),
            &format!("Events of each day, at most {most}"),
        )?;
        for (number, day) in days.iter().enumerate() {
            let title = format!("{}: {} events", day.day, day.events);
            column(f, &title, number, &event_blocks(number, day, most))?;
        }
        end(f, days)
    }
}

impl fmt::Display for ScorePlot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = &self.0.by_day;
        let floor = floor(days);
        write!(
            f,
            "<figure><figcaption>Score a day, from {floor:.0} to 100; dark: where the 95 % interval begins\
                   </figcaption>"
        )?;
        begin(
            f,
            days.len(),
            &format!("Score of each day, from {floor:.0} to 100"),
        )?;
        for (number, day) in days.iter().enumerate() {
            let (Some(score), Some(lower_bound)) = (day.score, day.lower_bound) else {
                continue;
            };
            let height = |points: f64| HEIGHT * ((points - floor) / (100.0 - floor)).max(0.0);
            let block = |to, colour| Block {
                day: number,
                from: 0.0,
                to: height(to),
                colour,
            };
            let title = format!("{}: {score:.1}, at least {lower_bound:.1}", day.day);
            let blocks = [block(score, "#2da44e88"), block(lower_bound, "#2da44e")];
            column(f, &title, number, &blocks)?;
        }
        end(f, days)
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (x, height) = (place(self.day), self.to - self.from);
        let (y, colour) = (HEIGHT - self.to, self.colour);
        write!(
            f,
            "<rect x=\"{x}\" y=\"{y:.2}\" width=\"{COLUMN}\" height=\"{height:.2}\" fill=\"{colour}\"/>"
        )
    }
}

/// Its parts, each at least visible.
fn event_blocks(number: usize, day: &DayReport, most: u64) -> Vec<Block> {
    let (mut from, mut blocks) = (0.0, Vec::new());
    for (outcomes, colour, _) in LAYERS {
        let events = events_of(day, outcomes);
        if events > 0 {
            let to = from + HEIGHT * as_f64(events) / as_f64(most.max(1));
            blocks.push(Block {
                day: number,
                from,
                to,
                colour,
            });
            from = to;
        }
    }
    blocks
}

/// How many events of a day ended in one of these outcomes.
fn events_of(day: &DayReport, outcomes: &[&str]) -> u64 {
    let counts = outcomes.iter();
    counts
        .filter_map(|outcome| day.outcomes.get(*outcome))
        .sum()
}

/// A multiple of ten below all scores, so that small differences show.
fn floor(days: &[DayReport]) -> f64 {
    let lowest = days
        .iter()
        .filter_map(|day| day.score)
        .fold(100.0, f64::min);
    let tens = (lowest / LEAST_RANGE).floor() * LEAST_RANGE;
    tens.clamp(0.0, 100.0 - LEAST_RANGE)
}

fn place(day: usize) -> f64 {
    DAY * as_f64(day as u64) + (DAY - COLUMN) / 2.0
}

fn begin(f: &mut fmt::Formatter<'_>, days: usize, label: &str) -> fmt::Result {
    let width = DAY * as_f64(days as u64);
    write!(
        f,
        "<svg class=\"p\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"{label}\"><rect width=\"{width}\" height=\"{HEIGHT}\" fill=\"#8882\"/>"
    )
}

fn column(f: &mut fmt::Formatter<'_>, title: &str, number: usize, blocks: &[Block]) -> fmt::Result {
    let x = place(number);
    write!(f, "<g><title>{title}</title>")?;
    // Also where it is low, the whole height shows the title.
    write!(
        f,
        "<rect x=\"{x}\" width=\"{COLUMN}\" height=\"{HEIGHT}\" fill=\"#8880\"/>"
    )?;
    blocks.iter().try_for_each(|block| write!(f, "{block}"))?;
    f.write_str("</g>")
}

fn end(f: &mut fmt::Formatter<'_>, days: &[DayReport]) -> fmt::Result {
    f.write_str("</svg><div class=\"x\">")?;
    let (first, last) = (days.first(), days.last());
    for day in [first, last].into_iter().flatten() {
        write!(f, "<time>{}</time>", day.day)?;
    }
    f.write_str("</div></figure>")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{fault::Fault, history::Day, outcome::Outcome};

    fn day(score: Option<f64>) -> DayReport {
        DayReport {
            day: Day::new(20_454),
            events: 6,
            conservation: None,
            outcomes: [("accepted", 3), ("modified", 1), ("rejected", 2)]
                .map(|(outcome, events)| (outcome.to_owned(), events))
                .into(),
            score,
            lower_bound: score,
        }
    }

    #[test]
    fn a_column_is_as_high_as_its_share_of_the_most_events() {
        let blocks = event_blocks(3, &day(None), 12);
        let heights: Vec<_> = blocks.iter().map(|block| (block.from, block.to)).collect();
        assert_eq!(blocks.len(), 2);
        for ((from, to), expected) in heights.iter().zip([(0.0, 33.33), (33.33, 50.0)]) {
            assert!(
                (from - expected.0).abs() < 0.01 && (to - expected.1).abs() < 0.01,
                "{heights:?}"
            );
        }
        assert_eq!(
            blocks[0].to_string(),
            "<rect x=\"31\" y=\"66.67\" width=\"8\" height=\"33.33\" fill=\"#2da44e\"/>"
        );
    }

    #[test]
    fn every_outcome_has_a_place_in_a_column() {
        let in_layers: BTreeSet<_> = LAYERS
            .iter()
            .flat_map(|(of, ..)| of.iter().copied())
            .collect();
        assert_eq!(in_layers, Outcome::<Fault>::kinds().collect());
    }

    #[test]
    fn scores_begin_below_the_lowest_of_them() {
        for (scores, expected) in [
            (&[][..], 90.0),
            (&[99.9], 90.0),
            (&[99.9, 81.0], 80.0),
            (&[100.0], 90.0),
            (&[0.0], 0.0),
        ] {
            let days: Vec<_> = scores.iter().map(|score| day(Some(*score))).collect();
            assert_eq!(floor(&days), expected, "{scores:?}");
        }
    }
}
