//! `portcullis-audit`: whether an audit log is what was signed, for anyone who has its files and its key.

#[cfg(feature = "archive")]
mod archived_log;
mod arguments;
mod failure;
mod http_source;
mod kept_file;
mod location;
mod look;
mod prove;
mod redirects;
mod told;
mod verify;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::Parser as _;

use self::{
    arguments::{Arguments, Command},
    failure::Failure,
    told::exit_code,
};

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Verify(asked) => verify::run(&asked),
        Command::Proof(asked) => prove::proof(&asked),
        Command::Show(asked) => prove::show(&asked),
    };
    let outcome = done.unwrap_or_else(|failure: Failure| {
        told::error(&failure);
        failure.outcome()
    });
    // What was printed is of no use to anybody if it did not arrive.
    match io::stdout().flush() {
        Ok(()) => exit_code(outcome),
        Err(_) => ExitCode::from(2),
    }
}
