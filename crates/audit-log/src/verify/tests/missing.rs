//! What is not there.

use super::{
    small_log::{Files, entries, files, policy, signed, told, verify},
    *,
};

#[test]
fn a_log_without_any_of_its_files_is_incomplete() {
    for size in [1, 255, 256, 257, 512, 513] {
        let files = signed(&entries(size));
        for path in files.0.keys().filter(|path| *path != "checkpoint") {
            let report = verify(&files.without(path));
            let is_pruned = path == "tile/entries/000" && size > 256;
            let expected = if is_pruned {
                Outcome::Sound
            } else {
                Outcome::Incomplete
            };
            assert_eq!(report.outcome(), expected, "{path} of {size}: {report:?}");
            assert_eq!(report.pruned, if is_pruned { 256 } else { 0 });
        }
    }
}

#[test]
fn without_a_checkpoint_there_is_no_log() {
    let report = verify(&files().without("checkpoint"));
    assert_eq!(report.outcome(), Outcome::Unusable);
    assert_eq!(told(&report), ["checkpoint: is missing"]);
}

/// Of 1,000 entries, without the first bundles.
fn pruned(bundles: usize) -> Files {
    let files = signed(&entries(1_000));
    (0..bundles).fold(files, |files, index| {
        files.without(&format!("tile/entries/{index:03}"))
    })
}

#[test]
fn a_pruned_log_is_sound_and_says_how_far() {
    for bundles in 1..=3 {
        let files = pruned(bundles);
        let report = verify(&files);
        let below = 256 * bundles as u64;
        assert_eq!(told(&report), [""; 0]);
        assert_eq!((report.pruned, report.entries), (below, 1_000 - below));
        // Which is told too if somebody knows it.
        let at = |minimum| {
            Verification::new(&files, &policy())
                .pruned_below(minimum)
                .run()
        };
        assert_eq!(at(below).outcome(), Outcome::Sound);
        assert_eq!(at(below + 255).outcome(), Outcome::Sound);
        assert_eq!(at(below + 256).outcome(), Outcome::Sound);
        assert_eq!(at(below - 1).outcome(), Outcome::Incomplete);
        let report = at(0);
        let expected = match bundles {
            1 => "tile/entries/000: is missing",
            2 => "tile/entries/000: is missing, and 1 after it",
            _ => "tile/entries/000: is missing, and 2 after it",
        };
        assert_eq!(told(&report), [expected]);
    }
}

#[test]
fn what_was_pruned_is_still_guarded_by_its_tiles() {
    let files = pruned(2);
    let report = verify(&files.flipped("tile/0/001", 40));
    assert_eq!(report.outcome(), Outcome::Tampered);
    let report = verify(&files.without("tile/0/001"));
    assert_eq!(report.outcome(), Outcome::Incomplete);
    // And the tenants of what is left.
    let mut changed = entries(1_000);
    for entry in &mut changed[800..] {
        let text = String::from_utf8(entry.clone()).unwrap();
        *entry = text.replace("\"tn\":4", "\"tn\":5").into_bytes();
    }
    let files = signed(&changed)
        .without("tile/entries/000")
        .without("tile/entries/001");
    let report = verify(&files);
    let expected = "tile/entries/003.p/232: entry 800 says that it is entry 500 of its tenant, and must be 400";
    assert_eq!(told(&report)[0], expected);
}

#[test]
fn a_hole_is_no_pruning() {
    let files = pruned(0)
        .without("tile/entries/001")
        .without("tile/entries/002");
    let report = verify(&files);
    assert_eq!(report.outcome(), Outcome::Incomplete);
    let expected = "tile/entries/001: is missing, and 1 after it";
    assert_eq!(told(&report), [expected]);
    assert_eq!((report.pruned, report.entries), (0, 256 + 232));
}

#[test]
fn a_checkpoint_that_is_larger_than_the_entries_is_found() {
    let whole = signed(&entries(1_000));
    let earlier = signed(&entries(600));
    let expected = "checkpoint: the log has 1000 entries, and those from 512 on are missing";
    // The tail cut, and an old copy under the new checkpoint.
    let mut cut = whole.clone();
    cut.0
        .retain(|path, _| !(path.contains("002") || path.contains("003")));
    let old = earlier.with("checkpoint", whole.0["checkpoint"].clone());
    // The entries alone.
    let bundles = whole
        .without("tile/entries/002")
        .without("tile/entries/003.p/232");
    for files in [cut, old, bundles] {
        let report = verify(&files);
        assert_eq!(report.outcome(), Outcome::Incomplete);
        assert!(
            told(&report).iter().any(|found| found == expected),
            "{report:?}"
        );
    }
    let all = (0..3).fold(whole.without("tile/entries/003.p/232"), |files, index| {
        files.without(&format!("tile/entries/{index:03}"))
    });
    let report = verify(&all);
    let expected = "checkpoint: the log has 1000 entries, and those from 0 on are missing";
    assert_eq!(told(&report), [expected]);
}

#[test]
fn full_files_stand_for_the_partial_ones_that_are_gone() {
    // The log went on, and the checkpoint is that of before.
    let later = signed(&entries(520));
    for size in [257, 400, 511] {
        let earlier = signed(&entries(size)).0["checkpoint"].clone();
        let mut files = later.with("checkpoint", earlier);
        let upper = signed(&entries(size)).0["tile/1/000.p/1"].clone();
        files = files.with("tile/1/000.p/1", upper);
        let report = verify(&files);
        assert_eq!(told(&report), [""; 0], "of {size}");
        assert_eq!(report.entries, size);
        let report = verify(&files.flipped("tile/entries/001", 7));
        assert_eq!(report.outcome(), Outcome::Tampered);
    }
}
