//! A checkpoint that somebody keeps, from one run to the next.

use std::fs;

use tempfile::TempDir;

use super::program::{Log, Said, copy};

struct Keeper {
    dir: TempDir,
}

impl Keeper {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        Self { dir }
    }

    fn file(&self) -> std::path::PathBuf {
        self.dir.path().join("kept")
    }

    fn run(&self, log: &Log, command: &str, more: &[&str]) -> Said {
        let file = self.file();
        log.run(
            command,
            &[&["--since", file.to_str().unwrap()], more].concat(),
        )
    }

    /// What is kept, and nothing else beside it.
    fn text(&self) -> String {
        assert_eq!(fs::read_dir(self.dir.path()).unwrap().count(), 1);
        fs::read_to_string(self.file()).unwrap()
    }
}

fn checkpoint(log: &Log) -> String {
    fs::read_to_string(log.file("checkpoint")).unwrap()
}

#[test]
fn the_newer_checkpoint_takes_the_place_of_the_one_kept() {
    let keeper = Keeper::new();
    let (earlier, later) = (Log::of(300), Log::of(600));
    let said = keeper.run(&earlier, "verify", &[]);
    assert_eq!(said.code, 0);
    assert!(said.err.contains("kept is not there"), "{said:?}");
    assert_eq!(keeper.text(), checkpoint(&earlier));
    for _ in 0..2 {
        assert_eq!(keeper.run(&earlier, "verify", &[]).err, "");
    }
    let said = keeper.run(&later, "verify", &[]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(said.out.contains("since       300 entries\n"), "{said:?}");
    assert_eq!(keeper.text(), checkpoint(&later));
    // By the tiles alone, too.
    copy(&earlier.file("checkpoint"), &keeper.file());
    assert_eq!(keeper.run(&later, "proof", &["7"]).code, 0);
    assert_eq!(keeper.text(), checkpoint(&later));
}

#[test]
fn an_old_copy_put_back_is_found_and_never_kept() {
    let keeper = Keeper::new();
    let (earlier, later) = (Log::of(300), Log::of(600));
    copy(&later.file("checkpoint"), &keeper.file());
    assert_eq!(earlier.run("verify", &[]).code, 0);
    for (command, more) in [("verify", &[][..]), ("show", &["1"]), ("proof", &["1"])] {
        let said = keeper.run(&earlier, command, more);
        let expected = "tampered: checkpoint: the log has 300 entries, and had 600 before\n";
        assert_eq!((said.code, said.err.as_str()), (1, expected), "{command}");
        assert_eq!(keeper.text(), checkpoint(&later));
    }
}

#[test]
fn all_rewritten_with_the_stolen_key_is_found() {
    let keeper = Keeper::new();
    let kept = checkpoint(&Log::of(300));
    let rewritten = Log::rewritten(600);
    assert_eq!(rewritten.run("verify", &[]).code, 0);
    for (command, more) in [("verify", &[][..]), ("show", &["1"]), ("proof", &["1"])] {
        fs::write(keeper.file(), &kept).unwrap();
        let said = keeper.run(&rewritten, command, more);
        let expected = "tampered: checkpoint: the log of 600 entries does not begin with the 300 that it had before\n";
        assert_eq!((said.code, said.err.as_str()), (1, expected), "{command}");
        assert_eq!(
            (keeper.text(), said.out.contains("lead")),
            (kept.clone(), false)
        );
    }
}

#[test]
fn a_log_that_is_not_sound_is_not_kept() {
    let keeper = Keeper::new();
    let (earlier, later) = (Log::of(300), Log::of(600));
    copy(&earlier.file("checkpoint"), &keeper.file());
    later.remove("tile/entries/001");
    assert_eq!(keeper.run(&later, "verify", &[]).code, 3);
    later.flip("tile/entries/000", 40);
    assert_eq!(keeper.run(&later, "verify", &[]).code, 1);
    assert_eq!(keeper.text(), checkpoint(&earlier));
}

#[test]
fn what_is_no_checkpoint_of_the_log_is_told_and_left_alone() {
    let keeper = Keeper::new();
    let log = Log::of(300);
    let unsigned = checkpoint(&log).replace("\n300\n", "\n200\n");
    for text in ["", "nothing", &unsigned] {
        fs::write(keeper.file(), text).unwrap();
        let said = keeper.run(&log, "verify", &[]);
        assert_eq!(said.code, 2, "{said:?}");
        let expected = "is no checkpoint that a key of --vkey has signed: ";
        assert!(said.err.contains(expected), "{said:?}");
        assert_eq!(keeper.text(), text);
    }
}

#[test]
fn a_place_that_cannot_be_written_is_told() {
    let log = Log::of(3);
    let said = log.run("verify", &["--since", "/nowhere/at/all/kept"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err
            .contains("/nowhere/at/all/kept cannot be written: "),
        "{said:?}"
    );
}
