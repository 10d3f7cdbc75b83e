//! A program that says on its output where it listens.

use std::{
    io::{BufRead as _, BufReader, Lines},
    process::{ChildStdout, Command, Stdio},
};

use crate::{Failure, process::Process};

/// A running program and where it listens.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) process: Process,
    /// As it names them, in the order in which they were asked for.
    pub(crate) addresses: Vec<String>,
    /// Without a reader, the program could not end its banner, and would end itself.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Listening {
    /// Starts it and waits for the lines `<label> http://<address>`.
    pub(crate) fn start(command: &mut Command, labels: &[&str]) -> Result<Self, Failure> {
        let command = command.env_clear().stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take();
        let process = Process::new(child);
        let mut output = BufReader::new(output.ok_or("the program has no output")?).lines();
        let mut said = output.by_ref().map_while(Result::ok).filter_map(|line| {
            let (label, address) = line.split_once("http://")?;
            labels
                .contains(&label.trim())
                .then(|| address.trim().to_owned())
        });
        let addresses: Vec<_> = said.by_ref().take(labels.len()).collect();
        if addresses.len() < labels.len() {
            return Err("the program did not start: it says why above".into());
        }
        Ok(Self {
            process,
            addresses,
            _output: output,
        })
    }
}
