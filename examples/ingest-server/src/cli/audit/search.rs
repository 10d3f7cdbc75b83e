//! `audit search`: entries that match, newest first.

use std::num::NonZeroUsize;

use clap::Args;
use portcullis_audit_log::event::Leaf;

use super::{
    filters::Filters,
    log::{LogError, Named},
};
use crate::{
    admin::DescribedEvent,
    audit::{KeptLeaf, PublishedError},
    cli::{CliError, columns::Columns, keys::to_json, opened::Opened, print},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Search {
    #[command(flatten)]
    log: Named,
    #[command(flatten)]
    filters: Filters,
    /// At most so many.
    #[arg(long, value_name = "NUMBER", default_value = "50")]
    limit: NonZeroUsize,
    /// Print JSON, one entry a line.
    #[arg(long)]
    json: bool,
}

const COLUMNS: [&str; 9] = [
    "N", "TIME", "TENANT", "ACTOR", "ACTION", "RESOURCE", "REASON", "OUTCOME", "COUNT",
];

/// What stands for nothing.
const NOTHING: &str = "–";

pub(super) async fn run(opened: &Opened, arguments: Search) -> Result<(), CliError> {
    let Search {
        log,
        filters,
        limit,
        json,
    } = arguments;
    let filter = filters.read()?;
    let log = log.read(opened).await?;
    let mut found = Vec::new();
    for bundle in log.bundles().rev() {
        let mut entries = log.bundle(bundle).map_err(LogError::from)?;
        entries.reverse();
        for entry in entries {
            if filter.matches(&leaf(&entry)?) {
                found.push(entry);
            }
            if found.len() == limit.get() {
                return show(&found, json);
            }
        }
    }
    show(&found, json)
}

/// Prints entries in their order.
pub(super) fn show(entries: &[KeptLeaf], json: bool) -> Result<(), CliError> {
    if json {
        let mut entries = entries.iter();
        return entries.try_for_each(|entry| print(&to_json(&DescribedEvent::new(&leaf(entry)?))));
    }
    let mut columns = Columns::new(COLUMNS);
    for entry in entries {
        columns.add(row(&leaf(entry)?));
    }
    print(&columns.to_string())
}

fn row(leaf: &Leaf<'_>) -> [String; 9] {
    let outcome = leaf.outcome().as_str();
    [
        leaf.numbers().in_tree.to_string(),
        leaf.time().to_string(),
        leaf.tenant().to_owned(),
        leaf.actor_id().to_owned(),
        leaf.action().to_owned(),
        resources(leaf),
        reason(leaf),
        leaf.detail().map_or_else(
            || outcome.to_owned(),
            |detail| format!("{outcome} ({detail})"),
        ),
        leaf.count().to_string(),
    ]
}

/// The first, and how many more are named.
fn resources(leaf: &Leaf<'_>) -> String {
    let mut resources = leaf.resources();
    let Some((kind, id)) = resources.next() else {
        return NOTHING.to_owned();
    };
    match resources.count() {
        0 => format!("{kind}:{id}"),
        more => format!("{kind}:{id} +{more}"),
    }
}

fn reason(leaf: &Leaf<'_>) -> String {
    match (leaf.reason_code(), leaf.reason_reference()) {
        (Some(code), Some(reference)) => format!("{code} {reference}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => NOTHING.to_owned(),
    }
}

pub(super) fn leaf(entry: &KeptLeaf) -> Result<Leaf<'_>, LogError> {
    Leaf::parse(&entry.bytes).map_err(|_| PublishedError::Damaged.into())
}
