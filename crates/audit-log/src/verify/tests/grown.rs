//! The same log, later.

use super::{
    small_log::{Files, checkpoint, entries, policy, signed, told, verify},
    *,
};
use crate::checkpoint::Checkpoint;

fn since(files: &Files, kept: &Checkpoint) -> Report {
    Verification::new(files, &policy()).since(kept).run()
}

fn rewritten(size: u64) -> Vec<Vec<u8>> {
    let mut entries = entries(size);
    let text = String::from_utf8(entries[1].clone()).unwrap();
    entries[1] = text.replace("lead.read", "lead.list").into_bytes();
    entries
}

#[test]
fn a_log_that_has_only_grown_is_sound() {
    for (old, new) in [
        (0, 0),
        (0, 5),
        (1, 5),
        (5, 5),
        (100, 600),
        (256, 600),
        (600, 601),
    ] {
        let report = since(&signed(&entries(new)), &checkpoint(&entries(old)));
        assert_eq!(told(&report), [""; 0], "{old} to {new}");
        assert_eq!(report.outcome(), Outcome::Sound);
    }
}

#[test]
fn an_old_copy_put_back_is_found_by_who_kept_a_later_checkpoint() {
    let old = signed(&entries(300));
    assert_eq!(verify(&old).outcome(), Outcome::Sound);
    let report = since(&old, &checkpoint(&entries(301)));
    assert_eq!(report.outcome(), Outcome::Tampered);
    let expected = "checkpoint: the log has 300 entries, and had 301 before";
    assert_eq!(told(&report), [expected]);
}

#[test]
fn all_rewritten_with_the_stolen_key_is_found_by_who_kept_a_checkpoint() {
    for (old, new) in [(2, 2), (2, 5), (300, 300), (300, 600), (512, 600)] {
        let files = signed(&rewritten(new));
        assert_eq!(verify(&files).outcome(), Outcome::Sound);
        let report = since(&files, &checkpoint(&entries(old)));
        assert_eq!(report.outcome(), Outcome::Tampered);
        let expected = format!(
            "checkpoint: the log of {new} entries does not begin with the {old} that it had before"
        );
        assert_eq!(told(&report), [expected]);
    }
}

#[test]
fn what_a_range_does_not_tell_the_tiles_prove() {
    for (entries_now, outcome) in [
        (entries(1_000), Outcome::Sound),
        (rewritten(1_000), Outcome::Tampered),
    ] {
        let files = signed(&entries_now);
        let kept = checkpoint(&entries(300));
        let run = |range| {
            let policy = policy();
            let verification = Verification::new(&files, &policy).since(&kept);
            verification.range(range).run().outcome()
        };
        for range in [512..768, 768..1_000, 0..256, 256..512] {
            assert_eq!(run(range.clone()), outcome, "{range:?}");
        }
    }
}

#[test]
fn a_checkpoint_of_another_log_compares_with_nothing() {
    let entries = entries(5);
    let (size, root) = (5, checkpoint(&entries).root());
    let other = Checkpoint::new("other.example".parse().unwrap(), size, root);
    let report = since(&signed(&entries), &other);
    assert_eq!(report.outcome(), Outcome::Unusable);
}
