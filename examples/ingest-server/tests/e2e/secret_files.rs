//! Files that hold secrets and data: what is read, who may read it, and how they are made.

use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, symlink},
        net::UnixListener,
    },
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::harness::{Data, KEK, Server, run_to_end, shell};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn private_file(path: &Path, content: impl AsRef<[u8]>) {
    fs::write(path, content).unwrap();
    set_mode(path, 0o600);
}

fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn message(output: Output) -> (Option<i32>, String) {
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn a_file_that_holds_no_secret_is_refused_with_the_reason_and_without_waiting() {
    let data = Data::new();
    let path = |name: &str| data.path().join(name);
    private_file(&path("empty"), "\n \n");
    private_file(&path("huge"), "1".repeat(1 << 20));
    private_file(&path("lines"), format!("{KEK}\n2:canary\n"));
    private_file(&path("mark"), format!("\u{feff}{KEK}"));
    private_file(&path("latin1"), b"1:canary\xe9");
    private_file(&path("control"), format!("{KEK}\0"));
    make_pipe(&path("pipe"));
    let _listener = UnixListener::bind(path("socket")).unwrap();
    fs::create_dir(path("folder")).unwrap();
    symlink(path("pipe"), path("link")).unwrap();
    for (file, expected) in [
        (path("none"), "names what cannot be read: entity not found"),
        (path("empty"), "names an empty file"),
        (path("huge"), "names what is larger than 16384 bytes"),
        (path("lines"), "names a file of several lines"),
        (
            path("mark"),
            "names a file that begins with a byte order mark",
        ),
        (path("latin1"), "names what is not UTF-8 text"),
        (path("control"), "names a file with control characters"),
        (path("pipe"), "names what is a pipe"),
        (path("link"), "names what is a pipe"),
        (path("socket"), "names what is a socket"),
        (path("folder"), "names what is a folder"),
        ("/dev/zero".into(), "names what is a device"),
        ("/dev/tty".into(), "names what is a device"),
        ("/dev/null".into(), "names what is a device"),
    ] {
        for command in ["check-config", "serve"] {
            let mut command_line = data.command();
            command_line
                .env_remove("PORTCULLIS_KEKS")
                .env("PORTCULLIS_KEKS_FILE", &file);
            let (code, said) = message(run_to_end(command_line.arg(command)));
            let line = format!("\n  PORTCULLIS_KEKS_FILE: {expected}");
            assert!(code == Some(2) && said.contains(&line), "{file:?}: {said}");
            assert!(!said.contains("canary"), "{said}");
        }
    }
    // Open for writing as long as the server runs, and nobody writes.
    let mut piped = data.command();
    piped
        .env_remove("PORTCULLIS_KEKS")
        .env("PORTCULLIS_KEKS_FILE", "/dev/stdin")
        .stdin(Stdio::piped());
    let (code, said) = message(run_to_end(&mut piped));
    assert!(
        code == Some(2) && said.contains("FILE: names what is a pipe"),
        "{said}"
    );

    for good in [
        format!("{KEK}\n"),
        format!("{KEK}\r\n"),
        format!(" {KEK}"),
        KEK.to_owned(),
    ] {
        private_file(&path("good"), &good);
        let mut command = data.command();
        command
            .env_remove("PORTCULLIS_KEKS")
            .env("PORTCULLIS_KEKS_FILE", path("good"));
        let (code, said) = message(run_to_end(command.arg("check-config")));
        assert_eq!(code, Some(0), "{good:?}: {said}");
    }
}

#[test]
fn the_file_of_settings_and_schemas_are_read_in_the_same_way() {
    let data = Data::new();
    let path = |name: &str| data.path().join(name);
    make_pipe(&path("pipe"));
    private_file(&path("huge"), "#".repeat(1 << 20));
    for (file, expected) in [
        (path("pipe"), "names what is a pipe"),
        (path("huge"), "names what is larger than 262144 bytes"),
        (path("none"), "names what cannot be read: entity not found"),
        ("/dev/zero".into(), "names what is a device"),
        (data.path().to_owned(), "names what is a folder"),
    ] {
        let mut command = data.command();
        command.arg("check-config").arg("--config").arg(&file);
        let (code, said) = message(run_to_end(&mut command));
        let line = format!("\n  --config: {expected}");
        assert!(code == Some(2) && said.contains(&line), "{file:?}: {said}");
    }
    let folder = path("schemas/page.viewed");
    fs::create_dir_all(&folder).unwrap();
    make_pipe(&folder.join("1.json"));
    symlink("/dev/zero", folder.join("2.json")).unwrap();
    private_file(&folder.join("3.json"), " ".repeat((1 << 20) + 1));
    fs::create_dir(folder.join("4.json")).unwrap();
    private_file(&folder.join("5.json"), b"\xff");
    let mut command = data.command();
    command
        .env("INGEST_SCHEMA_DIR", path("schemas"))
        .arg("check-config");
    let (code, said) = message(run_to_end(&mut command));
    assert_eq!(code, Some(2), "{said}");
    for line in [
        "1.json: is a pipe, not a file",
        "2.json: is a device, not a file",
        "3.json: is larger than 1048576 bytes",
        "4.json: is a folder, not a file",
        "5.json: is not UTF-8 text",
    ] {
        assert!(said.contains(line), "{line} is not in {said}");
    }
}

#[test]
fn what_others_can_read_or_change_is_refused_in_production_and_told_in_dev() {
    let outer = Data::new();
    let data = outer.path().join("data");
    let secrets = outer.path().join("secrets");
    for folder in [&data, &secrets] {
        fs::create_dir(folder).unwrap();
        set_mode(folder, 0o700);
    }
    let [_, (_, kek), ..] = outer.random_secrets();
    let kek_file = secrets.join("kek");
    private_file(&kek_file, kek);
    let command = |profile: &str| {
        let mut command = outer.production();
        command
            .env("INGEST_PROFILE", profile)
            .env("INGEST_DATA_DIR", &data)
            .env("INGEST_AUDIT_ORIGIN", "audit.example/ingest")
            .env_remove("PORTCULLIS_KEKS")
            .env("PORTCULLIS_KEKS_FILE", &kek_file);
        command
    };
    let server = Server::start_command(&outer, command("production"));
    for file in fs::read_dir(&data).unwrap() {
        let metadata = file.unwrap().metadata().unwrap();
        let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.mode() & 0o777, expected);
    }
    assert!(server.terminate().success());
    private_file(&data.join("ingest.db-wal"), "");
    private_file(&data.join("ingest.db.backup"), "");
    private_file(&data.join("dev-secrets.env"), "");

    for (path, mode, variable) in [
        (kek_file.clone(), 0o644, "PORTCULLIS_KEKS_FILE"),
        (kek_file.clone(), 0o640, "PORTCULLIS_KEKS_FILE"),
        (kek_file.clone(), 0o602, "PORTCULLIS_KEKS_FILE"),
        (secrets.clone(), 0o777, "PORTCULLIS_KEKS_FILE"),
        (secrets.clone(), 0o770, "PORTCULLIS_KEKS_FILE"),
        (data.clone(), 0o755, "INGEST_DATA_DIR"),
        (data.clone(), 0o750, "INGEST_DATA_DIR"),
        (outer.path().to_owned(), 0o777, "INGEST_DATA_DIR"),
        (data.join("ingest.db"), 0o644, "INGEST_DATABASE_URL"),
        (data.join("ingest.db-marker"), 0o664, "INGEST_DATABASE_URL"),
        (data.join("ingest.db-wal"), 0o640, "INGEST_DATABASE_URL"),
        (data.join("ingest.db.backup"), 0o604, "INGEST_DATABASE_URL"),
        (data.join("dev-secrets.env"), 0o644, "INGEST_DATA_DIR"),
    ] {
        let before = fs::metadata(&path).unwrap().mode();
        set_mode(&path, mode);
        let path_text = path.to_str().unwrap();
        for subcommand in ["check-config", "serve"] {
            let (code, said) = message(run_to_end(command("production").arg(subcommand)));
            assert_eq!(code, Some(2), "{path:?} {mode:o}: {said}");
            let told = |line: &str| {
                line.starts_with(&format!("  {variable}: "))
                    && line.contains("run `chmod ")
                    && line.ends_with(&format!(" {path_text}`"))
            };
            assert!(said.lines().any(told), "{path:?} {mode:o}: {said}");
        }
        let (code, said) = message(run_to_end(command("dev").arg("check-config")));
        assert_eq!(code, Some(0), "{path:?} {mode:o}: {said}");
        assert!(
            said.contains(&format!("warning: {variable}: ")),
            "{path:?}: {said}"
        );
        set_mode(&path, before & 0o777);
    }
    // What the message says to run is enough.
    let (code, said) = message(run_to_end(command("production").arg("check-config")));
    assert_eq!((code, said.as_str()), (Some(0), ""));
}

#[test]
fn a_link_in_the_place_of_a_file_is_refused_and_what_it_points_to_stays() {
    for (name, variable) in [
        ("ingest.db", "INGEST_DATABASE_URL"),
        ("ingest.db-wal", "INGEST_DATABASE_URL"),
        ("ingest.db-marker", "INGEST_DATABASE_URL"),
        ("dev-secrets.env", "INGEST_DATA_DIR"),
        ("dev-demo-key", "INGEST_DATA_DIR"),
    ] {
        for target in ["target", "nowhere"] {
            let data = Data::new();
            let outside = Data::new();
            private_file(&outside.path().join("target"), "");
            symlink(outside.path().join(target), data.path().join(name)).unwrap();
            for profile in ["dev", "production"] {
                let mut command = data.production();
                command.env("INGEST_PROFILE", profile);
                let (code, said) = message(run_to_end(&mut command));
                assert_eq!(code, Some(2), "{name} {profile}: {said}");
                let line = format!("\n  {variable}: {}/{name} is a link", data.path().display());
                assert!(said.contains(&line), "{said}");
            }
            let left = outside.files();
            assert!(left.len() == 1 && left[0].1.is_empty(), "{name}: {left:?}");
        }
    }
}

#[test]
fn files_are_for_their_owner_alone_whatever_the_umask() {
    for umask in ["000", "077", "777"] {
        let outer = Data::new();
        let data = outer.path().join("a/data");
        let mut command = outer.production();
        command.env("INGEST_DATA_DIR", &data);
        let command = shell(&format!("umask {umask}; exec \"$0\""), &command);
        let server = Server::start_command(&outer, command);
        let mut files = 0;
        for folder in [data.parent().unwrap(), &data] {
            assert_eq!(
                fs::metadata(folder).unwrap().mode() & 0o777,
                0o700,
                "{umask}"
            );
        }
        for entry in fs::read_dir(&data).unwrap() {
            let entry = entry.unwrap();
            let is_folder = entry.file_type().unwrap().is_dir();
            let expected = if is_folder { 0o700 } else { 0o600 };
            let mode = entry.metadata().unwrap().mode() & 0o777;
            assert_eq!(mode, expected, "{entry:?}");
            files += 1;
        }
        assert!(files >= 3, "database, log, marker");
        assert!(server.terminate().success());
    }
}
