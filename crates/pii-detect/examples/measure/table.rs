//! The tables of the README.

use std::fmt::Write as _;

use crate::corpus::{Column, Measured, Purpose};

/// What is shown of a target that has none.
const NONE: &str = "–";

/// Whether each target was met.
pub(crate) fn met(measured: &Measured) -> Option<bool> {
    match measured.purpose {
        Purpose::FalseAlarms { target } => {
            target.map(|target| percent(measured.alarmed, measured.texts) <= target)
        }
        Purpose::Recall { target } => target.map(|target| {
            let mut recall = measured.recall.values();
            recall.all(|(found, all)| percent(*found, *all) >= target)
        }),
    }
}

pub(crate) fn tables(measured: &[Measured]) -> String {
    let mut text = String::from(
        "| innocent texts | texts | with a finding | % | what was found | at most % | |\n\
         |---|---:|---:|---:|---|---:|---|\n",
    );
    for each in measured {
        if let Purpose::FalseAlarms { target } = each.purpose {
            let found: Vec<_> = each
                .false_findings
                .iter()
                .map(|(kind, count)| format!("{kind} {count}"))
                .collect();
            row(
                &mut text,
                &[
                    each.corpus.to_owned(),
                    each.texts.to_string(),
                    each.alarmed.to_string(),
                    up(percent(each.alarmed, each.texts)),
                    found.join(", "),
                    shown(target),
                    verdict(each),
                ],
            );
        }
    }
    text.push_str("\n| found, in % |");
    Column::ALL
        .iter()
        .for_each(|column| text.push_str(&format!(" {} |", column.heading())));
    text.push_str(" precision | at least % | |\n|---|");
    Column::ALL.iter().for_each(|_| text.push_str("---:|"));
    text.push_str("---:|---:|---|\n");
    for each in measured {
        if let Purpose::Recall { target } = each.purpose {
            let mut cells = vec![each.corpus.to_owned()];
            cells.extend(Column::ALL.map(|column| {
                let counted = each.recall.get(&column);
                counted.map_or_else(
                    || NONE.to_owned(),
                    |(found, all)| down(percent(*found, *all)),
                )
            }));
            cells.extend([precision(each), shown(target), verdict(each)]);
            row(&mut text, &cells);
        }
    }
    text
}

fn precision(measured: &Measured) -> String {
    let right: usize = measured.recall.values().map(|(found, _)| found).sum();
    let wrong: usize = measured.false_findings.values().sum();
    down(percent(right, right + wrong))
}

fn row(text: &mut String, cells: &[String]) {
    writeln!(text, "| {} |", cells.join(" | ")).expect("a string takes everything");
}

fn verdict(measured: &Measured) -> String {
    match met(measured) {
        None => "",
        Some(true) => "met",
        Some(false) => "**missed**",
    }
    .to_owned()
}

fn shown(target: Option<f64>) -> String {
    target.map_or_else(|| NONE.to_owned(), |target| target.to_string())
}

fn percent(part: usize, whole: usize) -> f64 {
    let of = |count: usize| f64::from(u32::try_from(count).expect("fewer texts than that"));
    if whole == 0 {
        100.0
    } else {
        of(part) * 100.0 / of(whole)
    }
}

/// No share is shown as better than it is.
fn down(percent: f64) -> String {
    format!("{:.2}", (percent * 100.0).floor() / 100.0)
}

fn up(percent: f64) -> String {
    format!("{:.2}", (percent * 100.0).ceil() / 100.0)
}
