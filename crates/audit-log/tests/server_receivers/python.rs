//! Programs in Python that read what is exported from their input.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    thread,
};

const INSTALL: &str = "Install it with `python3 -m pip install jsonschema==4.26.0 ocsf-json-schema==1.2.0 standardwebhooks==1.1.0`, or run scripts/components install";

/// What the program of this file says to this input, or to what it does not accept.
pub(crate) fn run(file: &str, input: Vec<u8>) -> Result<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/server_receivers")
        .join(file);
    let child = Command::new("python3")
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap_or_else(|error| panic!("python3: {error}. {INSTALL}"));
    let mut stdin = child.stdin.take().unwrap();
    // It may write before it has read everything. One that ends early says why.
    let writer = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    drop(writer.join().unwrap());
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let why = said.strip_prefix("refused: ");
    Err(why
        .unwrap_or_else(|| panic!("{file}: {said}{INSTALL}"))
        .to_owned())
}
