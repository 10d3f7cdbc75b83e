//! `keys list|rotate|rewrap|reencrypt|verify|disable|destroy|restore`: data keys and the rows that need them.
//! They work on the database itself, while servers run.

mod output;

use std::num::NonZeroU32;

use clap::{Args, Subcommand};

use self::output::{
    print_reencrypted, print_retired, print_rewrapped, print_rotated, print_verified, row,
};
use super::{
    CliError, columns::Columns, opened::Opened, print, progress::Shown, settings::Settings, warn,
};
use crate::{
    admin::{DataKeyError, DataKeyRequest, DataKeySelection, DataKeys, SweepPace},
    backend::MissingPeppers,
};

pub(super) use self::output::{Unfinished, to_json};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List data keys, each with its state and how many rows need it.
    List(List),
    /// Replace the keys that seal by new ones: takes about 15 seconds.
    Rotate(Selected),
    /// Wrap every data key under the primary version of the key-encryption key.
    Rewrap(Paced),
    /// Seal again, under the keys that seal now, what is sealed under keys that only open.
    Reencrypt(Reencrypt),
    /// Open every row, and count which keys they need.
    Verify(Json),
    /// Refuse a key that no row needs; it can be taken back.
    Disable(One),
    /// Take a key that no row needs to its destruction: it waits for seven days, then this destroys it.
    Destroy(One),
    /// Take a key back that is disabled or waits for its destruction.
    Restore(One),
}

#[derive(Debug, Args)]
pub(super) struct Json {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    selection: Selection,
    /// Only those in this state: pending, primary, decrypt-only, disabled, destroy-scheduled, destroyed.
    #[arg(long)]
    state: Option<String>,
    /// Print JSON, one key a line.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Selection {
    /// Only this tenant's.
    #[arg(long)]
    tenant: Option<String>,
    /// Only those for this purpose, such as email.
    #[arg(long)]
    purpose: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Selected {
    #[command(flatten)]
    selection: Selection,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Paced {
    /// At most so many in a second.
    #[arg(long, value_name = "NUMBER")]
    rows_per_second: Option<NonZeroU32>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Reencrypt {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    paced: Paced,
}

#[derive(Debug, Args)]
pub(super) struct One {
    /// The key's id, as `list` shows it.
    key: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(settings: &Settings, command: Command) -> Result<(), CliError> {
    let opened = Opened::open(settings, MissingPeppers::Accept).await?;
    let outcome = run_on(&opened, command).await;
    opened.close().await;
    outcome
}

async fn run_on(opened: &Opened, command: Command) -> Result<(), CliError> {
    let (keys, actor) = (opened.data_keys(), &opened.actor);
    let mut shown = Shown::new(&opened.clock);
    let mut progress = |at: &str, done: &_| shown.show(at, done);
    match command {
        Command::List(arguments) => list(&keys, opened, arguments).await,
        Command::Rotate(Selected { selection, json }) => {
            let rotated = keys.rotate(actor, &selection.into(), &mut progress).await;
            shown.end();
            print_rotated(&rotated?, json)
        }
        Command::Rewrap(paced) => {
            let rewrapped = keys.rewrap(actor, paced.pace(), &mut progress).await;
            shown.end();
            print_rewrapped(&rewrapped?, paced.json)
        }
        Command::Reencrypt(Reencrypt { selection, paced }) => {
            let selection = selection.into();
            let sealed = keys.reencrypt(actor, &selection, paced.pace(), &mut progress);
            let sealed = sealed.await;
            shown.end();
            print_reencrypted(&sealed?, paced.json)
        }
        Command::Verify(Json { json }) => {
            let verified = keys.verify(actor, &mut progress).await;
            shown.end();
            print_verified(&verified?, json)
        }
        Command::Disable(One { key, json }) => {
            let disabled = keys.disable(actor, &key, &mut progress).await;
            shown.end();
            print_retired(&disabled?, json)
        }
        Command::Destroy(One { key, json }) => {
            let destroyed = keys.destroy(actor, &key, &mut progress).await;
            shown.end();
            print_retired(&destroyed?, json)
        }
        Command::Restore(One { key, json }) => {
            print_retired(&keys.restore(actor, &key).await?, json)
        }
    }
}

async fn list(keys: &DataKeys, opened: &Opened, arguments: List) -> Result<(), CliError> {
    let mut request = DataKeyRequest {
        selection: arguments.selection.into(),
        state: arguments.state,
        after: None,
        limit: None,
    };
    let header = [
        "KEY", "STATE", "SINCE", "AGE", "KEK", "ROWS", "PURPOSE", "TENANT",
    ];
    let mut columns = Columns::new(header);
    let mut damaged = Vec::new();
    loop {
        let page = keys.list(&opened.actor, &request).await?;
        damaged.extend(page.damaged);
        for key in &page.keys {
            if arguments.json {
                print(&to_json(key))?;
            } else {
                columns.add(row(key));
            }
        }
        if page.next.is_none() {
            break;
        }
        request.after = page.next;
    }
    if !arguments.json {
        print(&columns.to_string())?;
    }
    // Of some tenants: what the others have is listed.
    if !damaged.is_empty() {
        warn(&format!(
            "the rows of these data keys are damaged, and what they sealed does not open; restore them from a backup: \
             {}",
            damaged.join(", ")
        ));
    }
    Ok(())
}

impl Paced {
    const fn pace(&self) -> SweepPace {
        SweepPace {
            rows_per_second: self.rows_per_second,
        }
    }
}

impl From<Selection> for DataKeySelection {
    fn from(Selection { tenant, purpose }: Selection) -> Self {
        Self { tenant, purpose }
    }
}

impl From<DataKeyError> for CliError {
    fn from(error: DataKeyError) -> Self {
        Self::DataKeys(error)
    }
}
