//! `docs/audit.md` as somebody follows it who has the folder, the key, and public tools: its programs and commands are
//! taken out of it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use super::{
    folder,
    program::{Log, Said, copy},
};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/audit.md");
const INSTALL: &str = "Install golang-go, golang-golang-x-mod-dev, and Python's `cryptography`, as docs/audit.md says";

/// What stands between the fences of a language, in its order.
fn fences(language: &str) -> Vec<String> {
    let text = fs::read_to_string(DOCUMENT).unwrap();
    let opening = format!("```{language}\n");
    let blocks = text.split(&opening).skip(1);
    blocks
        .map(|block| block.split("```\n").next().unwrap().to_owned())
        .collect()
}

/// A desk with the folder `log` and the programs of the document.
struct Desk {
    dir: TempDir,
    vkey: String,
}

/// Each of the commands that verify all of a log.
const VERIFYING: [&str; 3] = [
    "portcullis-audit verify log --vkey \"$VKEY\"",
    "./verify-go log \"$VKEY\"",
    "python3 verify.py log \"$VKEY\"",
];

impl Desk {
    fn of(log: &Log) -> Self {
        let dir = TempDir::new().unwrap();
        let [go, python, prove] = [fences("go"), fences("python")]
            .concat()
            .try_into()
            .unwrap();
        for (name, text) in [
            ("verify.go", go),
            ("verify.py", python),
            ("prove.py", prove),
        ] {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let desk = Self {
            dir,
            vkey: log.vkey(),
        };
        desk.put(log);
        desk
    }

    /// Puts a log where the folder is.
    fn put(&self, log: &Log) {
        let folder = self.path("log");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        copy_all(&log.path(), &folder);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn shell(&self, script: &str) -> Said {
        let program = Path::new(env!("CARGO_BIN_EXE_portcullis-audit"));
        #[expect(
            clippy::disallowed_methods,
            reason = "where the shell finds its programs"
        )]
        let found = std::env::var("PATH").unwrap();
        let path = format!("{}:{found}", program.parent().unwrap().display());
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-cache");
        let output = Command::new("sh")
            .args(["-e", "-c", script])
            .current_dir(self.dir.path())
            .env("PATH", path)
            .env("VKEY", &self.vkey)
            .env("GOCACHE", cache)
            .env("CGO_ENABLED", "0")
            .output()
            .unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// As `go run` does, once for many logs.
    fn build(&self) {
        let said =
            self.shell("GO111MODULE=off GOPATH=/usr/share/gocode go build -o verify-go verify.go");
        assert_eq!(said.code, 0, "{said:?} {INSTALL}");
    }

    /// Which of the three find the log sound; those that keep a checkpoint compare with it.
    fn sound(&self, kept: bool) -> [bool; 3] {
        let since = if kept {
            ["--since kept", "kept", "kept"]
        } else {
            [""; 3]
        };
        let mut index = 0;
        VERIFYING.map(|command| {
            let said = self.shell(&format!("{command} {}", since[index]));
            index += 1;
            // What ends otherwise has verified nothing.
            let is_told = said.code == 0 || !said.err.contains("Traceback");
            assert!(is_told && !said.err.contains("panic"), "{said:?}");
            said.code == 0
        })
    }
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &place);
        } else {
            copy(&entry.path(), &place);
        }
    }
}

#[test]
fn who_follows_the_document_verifies_a_log() {
    let desk = Desk::of(&Log::of(600));
    let blocks = fences("sh");
    assert_eq!(blocks.len(), 4);
    for block in &blocks {
        let said = desk.shell(block);
        assert_eq!(said.code, 0, "{block}\n{said:?} {INSTALL}");
    }
    // Each has kept the checkpoint, and the last has proved entry 7.
    let said = desk.shell("cmp kept log/checkpoint");
    assert_eq!(said.code, 0, "{said:?}");
    let said = desk.shell("python3 prove.py 7.json 7.tlog-proof \"$VKEY\"");
    assert_eq!(said.out, "entry 7 of 600\n", "{said:?}");
    assert_eq!(fs::read(desk.path("7.json")).unwrap(), folder::leaf(7));
}

#[test]
fn each_of_the_three_finds_whatever_was_done() {
    let log = Log::of(600);
    let desk = Desk::of(&log);
    desk.build();
    assert_eq!(desk.sound(false), [true; 3]);
    for (name, at) in [
        ("checkpoint", 26),
        ("checkpoint", 100),
        ("tile/0/001", 40),
        ("tile/0/002.p/88", 40),
        ("tile/entries/000", 40),
        ("tile/entries/002.p/88", 40),
    ] {
        log.flip(name, at);
        desk.put(&log);
        assert_eq!(desk.sound(false), [false; 3], "{name}");
        log.flip(name, at);
    }
    for name in [
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ] {
        desk.put(&log);
        let file = desk.path("log").join(name);
        let longer = [fs::read(&file).unwrap(), vec![0]].concat();
        fs::write(&file, longer).unwrap();
        assert_eq!(desk.sound(false), [false; 3], "{name} with a byte more");
    }
    for name in [
        "checkpoint",
        "tile/0/000",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ] {
        desk.put(&log);
        fs::remove_file(desk.path("log").join(name)).unwrap();
        assert_eq!(desk.sound(false), [false; 3], "without {name}");
    }
    // Pruned.
    desk.put(&log);
    fs::remove_file(desk.path("log/tile/entries/000")).unwrap();
    assert_eq!(desk.sound(false), [true; 3]);
    fs::remove_file(desk.path("log/tile/entries/001")).unwrap();
    assert_eq!(desk.sound(false), [true; 3]);
    fs::remove_file(desk.path("log/tile/entries/002.p/88")).unwrap();
    assert_eq!(desk.sound(false), [false; 3]);
}

#[test]
fn while_a_key_replaces_another_each_of_the_three_takes_either() {
    let log = Log::of(300);
    let old = log.vkey();
    let new = log.signed_by_another();
    let mut desk = Desk::of(&log);
    desk.build();
    for vkey in [&old, &new] {
        desk.vkey.clone_from(vkey);
        assert_eq!(desk.sound(false), [true; 3], "{vkey}");
    }
    // And no key that has not signed.
    desk.put(&Log::of(300));
    assert_eq!(desk.sound(false), [false; 3]);
}

#[test]
fn each_of_the_three_finds_what_only_a_kept_checkpoint_tells() {
    let (earlier, later, rewritten) = (Log::of(300), Log::of(600), Log::rewritten(600));
    let desk = Desk::of(&later);
    desk.build();
    for (kept, log, expected) in [
        (&earlier, &later, true),
        (&later, &later, true),
        (&later, &earlier, false),
        (&earlier, &rewritten, false),
        (&later, &rewritten, false),
    ] {
        desk.put(log);
        assert_eq!(desk.sound(false), [true; 3]);
        copy(&kept.file("checkpoint"), &desk.path("kept"));
        assert_eq!(desk.sound(true)[1..], [expected; 2]);
        copy(&kept.file("checkpoint"), &desk.path("kept"));
        assert_eq!(desk.sound(true)[0], expected);
    }
}

#[test]
fn sizes_of_all_kinds_are_verified_and_each_entry_proved() {
    let mut desk = None;
    for size in [1, 7, 256, 257, 65_537] {
        let log = Log::of(size);
        let desk = desk.get_or_insert_with(|| {
            let desk = Desk::of(&log);
            desk.build();
            desk
        });
        desk.put(&log);
        assert_eq!(desk.sound(false), [true; 3], "of {size}");
        let last = size.min(7) - 1;
        for n in [0, size / 3, last, size - 1] {
            let script = format!(
                "portcullis-audit show log {n} --vkey \"$VKEY\" | tr -d '\\n' > entry\n\
                 portcullis-audit proof log {n} --vkey \"$VKEY\" > proof\n\
                 python3 prove.py entry proof \"$VKEY\"\n\
                 printf ' ' >> entry\n\
                 ! python3 prove.py entry proof \"$VKEY\" 2> refused\n\
                 grep -q 'the entry is not in the log' refused"
            );
            let said = desk.shell(&script);
            let expected = format!("entry {n} of {size}\n");
            assert_eq!((said.code, said.out.as_str()), (0, &*expected), "{said:?}");
        }
    }
}
