//! The programs that check a folder.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

const INSTALL_GO: &str = "Install it with `apt-get install golang-go golang-golang-x-mod-dev`, or run scripts/components install";
const INSTALL_PYTHON: &str =
    "Install it with `apt-get install python3` and `python3 -m pip install cryptography`";
/// Where Debian puts the sources of Go's packages.
const GOPATH: &str = "/usr/share/gocode";

/// A program that says of a folder whether its log is sound.
pub(crate) struct Verifier {
    program: PathBuf,
    arguments: Vec<PathBuf>,
    install: &'static str,
}

impl Verifier {
    /// On Go's own implementation, built from what is on this machine, without a network.
    pub(crate) fn go() -> Self {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        // Of this process alone: another test may build at the same time.
        let program = target.join(format!("verify-log-{}", std::process::id()));
        let mut build = Command::new("go");
        build
            .args(["build", "-o"])
            .arg(&program)
            .arg(source("go/main.go"))
            .env("GO111MODULE", "off")
            .env("GOPATH", GOPATH)
            .env("GOCACHE", target.join("go-cache"))
            .env("CGO_ENABLED", "0");
        let built = build.output();
        let built = built.unwrap_or_else(|error| panic!("go: {error}. {INSTALL_GO}"));
        let said = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "{said}{INSTALL_GO}");
        Self {
            program,
            arguments: Vec::new(),
            install: INSTALL_GO,
        }
    }

    /// On Python's.
    pub(crate) fn python() -> Self {
        Self {
            program: "python3".into(),
            arguments: vec![source("oracle.py")],
            install: INSTALL_PYTHON,
        }
    }

    /// The size of the log that it found sound, or what is wrong with it.
    pub(crate) fn verify(&self, dir: &Path) -> Result<u64, String> {
        let mut command = Command::new(&self.program);
        let output = command.args(&self.arguments).arg(dir).output();
        let output =
            output.unwrap_or_else(|error| panic!("{command:?}: {error}. {}", self.install));
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout)
                .trim()
                .parse()
                .unwrap());
        }
        // Anything else is a fault of the program, which has verified nothing.
        let why = said.strip_prefix("unsound: ");
        Err(why
            .unwrap_or_else(|| panic!("{command:?}: {said}{}", self.install))
            .to_owned())
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        if self.arguments.is_empty() {
            // It is made again by the next test.
            let _ = std::fs::remove_file(&self.program);
        }
    }
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/server_verifiers")
        .join(name)
}
