//! Secrets that somebody replaces while they are read.

use std::{fs, hint::spin_loop, sync::Barrier, thread};

use super::{random_key, *};

/// What is said to be in use is so, or is found to be another at the next look.
#[test]
fn a_secret_that_is_replaced_while_it_is_read_is_not_missed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("admin-token");
    let aside = dir.path().join("new");
    let tokens = [random_key(8), random_key(9)];
    fs::write(&file, &tokens[1]).unwrap();
    let mut environment = environment(&[("INGEST_ADMIN_TOKEN_FILE", file.to_str().unwrap())]);
    environment.retain(|(name, _)| name != "INGEST_ADMIN_TOKEN");
    let config = Config::load(&Sources::new(Flags::new(), environment, None)).unwrap();

    let mut replaced_meanwhile = 0;
    // The file is replaced at another moment of the reading each time.
    for round in 0..60 {
        fs::write(&aside, &tokens[round % 2]).unwrap();
        let start = Barrier::new(2);
        let read = thread::scope(|scope| {
            let reading = scope.spawn(|| {
                start.wait();
                config.reader.read(None)
            });
            start.wait();
            (0..10_000 * round).for_each(|_| spin_loop());
            fs::rename(&aside, &file).unwrap();
            reading.join().unwrap()
        });
        let next = config.reader.read(None);
        let token = |read: &ReadSecrets| {
            let secrets = read.secrets.as_ref().unwrap();
            secrets.admin_token.expose().to_owned()
        };
        let is_settled = read.revision == next.revision;
        assert!(
            !is_settled || token(&read) == token(&next),
            "what was replaced in round {round} is never in use"
        );
        replaced_meanwhile += usize::from(!is_settled);
    }
    assert!(replaced_meanwhile > 0);
}
