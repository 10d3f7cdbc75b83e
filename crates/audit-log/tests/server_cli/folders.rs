//! Logs on a disk.

use std::fs;

use portcullis_audit_log::{note::SignedNote, proof::TlogProof};

use super::{
    folder,
    program::{Log, run, witness},
};

#[test]
fn a_sound_log_is_0_and_says_what_was_read() {
    let said = Log::of(300).run("verify", &[]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let lines: Vec<_> = said.out.lines().collect();
    assert_eq!(lines[0], "log         portcullis.example/audit");
    assert!(lines[1].starts_with("checkpoint  300 entries, root "));
    assert_eq!(
        lines[2..],
        ["entries     300 read, 0 pruned", "result      sound"]
    );
}

#[test]
fn a_log_that_was_changed_is_1_and_the_entry_is_named() {
    let log = Log::of(300);
    // In the id of the first entry of the second bundle.
    log.flip("tile/entries/001.p/44", 40);
    let said = log.run("verify", &[]);
    assert_eq!(said.code, 1);
    let expected = "tampered: tile/entries/001.p/44: entry 256 is not the one that was signed\n";
    assert_eq!(said.err, expected);
    assert!(said.out.ends_with("result      tampered\n"));
}

#[test]
fn in_the_folder_of_a_store_its_index_is_held_against_the_entries() {
    let log = Log::of(300);
    let published = log.path();
    let store = published.parent().unwrap();
    let run = || log.run_at("verify", store.to_str().unwrap(), &[]);
    let said = run();
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let end = "index       0 rows agree\nresult      sound\n";
    assert!(said.out.ends_with(end), "{}", said.out);
    fs::write(store.join("index"), [7; 1_048]).unwrap();
    let said = run();
    assert_eq!(said.code, 1);
    let expected = "tampered: tile/entries/000: entry 255 is not what the index says\n";
    assert_eq!(said.err, expected);
    // Of what is published, it is no part.
    assert_eq!(log.run("verify", &[]).code, 0);
}

#[test]
fn a_log_that_cannot_be_judged_is_2() {
    let log = Log::of(3);
    let other = witness("portcullis.example/audit")
        .verifying_key()
        .to_string();
    let path = log.path();
    let path = path.to_str().unwrap();
    let foreign = "portcullis.example/audit+5eb02bad+AQ==";
    for (arguments, expected) in [
        (
            vec!["verify", path, "--vkey", foreign],
            "a vkey must be name+id+base64",
        ),
        (
            vec!["verify", path, "--vkey", &other],
            "a key of the log must be of type 01",
        ),
        (vec!["verify", path], "--vkey <VKEY>"),
        (vec!["verify", "--vkey", &log.vkey()], "<DIR|URL>"),
        (vec!["check", path], "unrecognized subcommand"),
        (vec!["show", path, "-1", "--vkey", &log.vkey()], "-1"),
    ] {
        let said = run(&arguments);
        assert_eq!(said.code, 2, "{arguments:?}: {said:?}");
        assert!(said.err.contains(expected), "{arguments:?}: {said:?}");
    }
    let missing = path.replace("/log", "/nothing");
    let said = log.run_at("verify", &missing, &[]);
    assert_eq!(
        (said.code, said.err.as_str()),
        (2, "unusable: checkpoint: is missing\n")
    );
    fs::write(log.file("checkpoint"), "no note").unwrap();
    let said = log.run("verify", &[]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.starts_with("unusable: checkpoint: a note must be"),
        "{said:?}"
    );
}

#[test]
fn a_file_that_is_missing_is_3_and_is_named() {
    for (name, expected) in [
        ("tile/0/000", "incomplete: tile/0/000: is missing\n"),
        (
            "tile/entries/001.p/44",
            "incomplete: checkpoint: the log has 300 entries, and those from 256 on are missing\n",
        ),
    ] {
        let log = Log::of(300);
        log.remove(name);
        let said = log.run("verify", &[]);
        assert_eq!((said.code, said.err.as_str()), (3, expected), "{name}");
    }
}

#[test]
fn a_pruned_log_is_sound_as_far_as_it_is_said_to_be() {
    let log = Log::of(600);
    log.remove("tile/entries/000");
    let said = log.run("verify", &[]);
    assert_eq!(said.code, 0);
    assert!(said.out.contains("entries     344 read, 256 pruned\n"));
    assert_eq!(log.run("verify", &["--pruned-below", "256"]).code, 0);
    assert_eq!(log.run("verify", &["--pruned-below", "0"]).code, 3);
    assert_eq!(log.run("show", &["300"]).code, 0);
    let said = log.run("show", &["30"]);
    let expected = "error: tile/entries/000: is missing, and entry 30 with it\n";
    assert_eq!((said.code, said.err.as_str()), (3, expected));
}

#[test]
fn a_part_of_a_log_is_verified() {
    let log = Log::of(600);
    log.flip("tile/entries/000", 40);
    let said = log.run("verify", &["--from", "256", "--to", "300"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("entries     256 read, 0 pruned\n"));
    assert_eq!(log.run("verify", &["--to", "1"]).code, 1);
}

#[test]
fn an_entry_is_shown_as_it_is_and_only_if_it_is_in_the_log() {
    let log = Log::of(300);
    for n in [0, 255, 256, 299] {
        let said = log.run("show", &[&n.to_string()]);
        assert_eq!((said.code, said.err.as_str()), (0, ""));
        assert_eq!(
            said.out.strip_suffix('\n').unwrap().as_bytes(),
            folder::leaf(n)
        );
    }
    let said = log.run("show", &["300"]);
    let expected = "error: the log has 300 entries, and so no entry 300\n";
    assert_eq!((said.code, said.err.as_str()), (2, expected));
    log.flip("tile/entries/001.p/44", 40);
    let said = log.run("show", &["256"]);
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert!(said.err.contains("entry 256"), "{said:?}");
    // Its neighbour is as it was.
    assert_eq!(log.run("show", &["257"]).code, 0);
    log.remove("tile/0/001.p/44");
    assert_eq!(log.run("show", &["257"]).code, 3);
}

#[test]
fn a_proof_needs_no_other_file() {
    let log = Log::of(300);
    let keys = [log.vkey().parse().unwrap()];
    let origin = "portcullis.example/audit".parse().unwrap();
    for n in [0, 255, 256, 299] {
        let said = log.run("proof", &[&n.to_string()]);
        assert_eq!((said.code, said.err.as_str()), (0, ""));
        let proof = TlogProof::parse(said.out.as_bytes()).unwrap();
        let (checkpoint, _) = proof.verify(&folder::leaf(n), &origin, &keys).unwrap();
        assert_eq!((proof.index(), checkpoint.size()), (n, 300));
        assert!(proof.verify(&folder::leaf(n + 1), &origin, &keys).is_err());
    }
    log.flip("tile/0/001.p/44", 40);
    let said = log.run("proof", &["256"]);
    assert_eq!((said.code, said.out.as_str()), (1, ""));
}

#[test]
fn any_of_several_keys_is_enough() {
    let log = Log::of(3);
    let old = "portcullis.example/audit+beeb02ba+ARdFU7RW3d/GkI7KscEB/mqyHiuqBhd5W31DpjSCmT/V";
    assert_ne!(log.vkey(), old);
    assert_eq!(log.run("verify", &["--vkey", old]).code, 0);
    let path = log.path();
    let said = run(&["verify", path.to_str().unwrap(), "--vkey", old]);
    let expected = "unusable: checkpoint: no known key has signed the note\n";
    assert_eq!((said.code, said.err.as_str()), (2, expected));
}

#[test]
fn as_many_witnesses_as_asked_for_must_have_signed() {
    let log = Log::of(3);
    let first = log.cosigned_by("w1.example");
    let second = witness("w2.example").verifying_key().to_string();
    let both = ["--witness", &first, "--witness", &second];
    let said = log.run("verify", &["--witness", &first]);
    assert_eq!(said.code, 0, "{said:?}");
    let expected = "witness     w1.example at 2023-11-14T22:13:20.000000Z\n";
    assert!(said.out.contains(expected), "{said:?}");
    let said = log.run("verify", &both);
    let expected = "unusable: checkpoint: 1 of the known witnesses have signed the checkpoint, and 2 must have\n";
    assert_eq!((said.code, said.err.as_str()), (2, expected));
    assert_eq!(
        log.run("verify", &[&both[..], &["--witnesses", "1"]].concat())
            .code,
        0
    );
    assert_eq!(log.run("show", &[&["1"][..], &both].concat()).code, 2);
    // One that is there and wrong is no witness that is missing.
    let text = fs::read_to_string(log.file("checkpoint")).unwrap();
    let note = SignedNote::parse(text.as_bytes()).unwrap();
    let mine = note.signatures()[1].to_string();
    let other = mine.replace("KZ", "KY");
    let changed = if mine == other {
        format!("{}A==", &mine[..mine.len() - 3])
    } else {
        other
    };
    fs::write(log.file("checkpoint"), text.replace(&mine, &changed)).unwrap();
    let said = log.run("verify", &["--witness", &first]);
    assert_eq!(said.code, 1, "{said:?}");
}

#[test]
fn help_says_what_the_exit_codes_are() {
    for arguments in [
        vec!["--help"],
        vec!["verify", "--help"],
        vec!["show", "--help"],
    ] {
        let said = run(&arguments);
        assert_eq!((said.code, said.err.as_str()), (0, ""));
        for expected in ["1  tampered", "2  unusable", "3  incomplete", "Usage:"] {
            assert!(said.out.contains(expected), "{arguments:?}: {said:?}");
        }
    }
    let said = run(&["--version"]);
    let expected = format!("portcullis-audit {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((said.code, said.out), (0, expected));
}

#[test]
fn a_range_that_the_log_does_not_have_is_2_and_says_how_many_entries_there_are() {
    let log = Log::of(10);
    for (from, to) in [("5000", "6000"), ("10", "20"), ("5", "3"), ("5", "5")] {
        let said = log.run("verify", &["--from", from, "--to", to]);
        let expected = format!(
            "unusable: entries {from} to {to} were to be verified, and the log has 10, from 0 on\n"
        );
        assert_eq!((said.code, said.err), (2, expected));
    }
    let said = log.run("verify", &["--from", "9", "--to", "6000"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
}
