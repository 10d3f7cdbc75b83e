//! `ops generate | check | query --prometheus URL`.

use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis_ops::run()
}
