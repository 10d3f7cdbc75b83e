//! What production gives away of its memory.

use std::fs;

use crate::harness::{Data, Server, shell};

fn proc(server: &Server, name: &str) -> String {
    fs::read_to_string(format!("/proc/{}/{name}", server.pid())).unwrap()
}

fn locked_kib(server: &Server) -> u64 {
    let status = proc(server, "status");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmLck:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn core_limits(server: &Server) -> Vec<String> {
    let limits = proc(server, "limits");
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    let values = line
        .trim_start_matches("Max core file size")
        .split_whitespace();
    values.take(2).map(str::to_owned).collect()
}

/// Another user, who owns nothing here.
const NOBODY: u32 = 65_534;

#[test]
fn production_writes_no_core_and_shows_its_memory_to_nobody() {
    let data = Data::new();
    let command = shell(
        "ulimit -c unlimited 2>/dev/null; exec \"$0\"",
        &data.production(),
    );
    let server = Server::start_command(&data, command);
    assert_eq!(core_limits(&server), ["0", "0"]);
    assert!(locked_kib(&server) > 0);
}

/// Started as an ordinary user, whose files under `/proc` are root's once the process is not
/// dumpable; then no process of that user may read or trace it.
#[test]
fn the_files_of_the_process_belong_to_root() {
    use std::os::unix::{fs::MetadataExt as _, process::CommandExt as _};
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        // Only root can become another user.
        return;
    }
    for (profile, owner) in [("production", 0), ("dev", NOBODY)] {
        let data = Data::new();
        let folder = data.path().join("data");
        fs::create_dir(&folder).unwrap();
        let chown = |path| std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        chown(folder.as_path());
        fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        fs::set_permissions(
            data.path(),
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )
        .unwrap();
        // A copy that this user can reach.
        let binary = data.path().join("server");
        fs::copy(env!("CARGO_BIN_EXE_ingest-server"), &binary).unwrap();
        let mut command = std::process::Command::new(&binary);
        command.env_clear().envs(data.random_secrets());
        command
            .env("INGEST_PROFILE", profile)
            .env("INGEST_DATA_DIR", &folder);
        command
            .env("INGEST_LISTEN", "127.0.0.1:0")
            .env("INGEST_ADMIN_LISTEN", "127.0.0.1:0");
        command.uid(NOBODY).gid(NOBODY);
        let server = Server::start_command(&data, command);
        for file in ["mem", "environ", "maps"] {
            let path = format!("/proc/{}/{file}", server.pid());
            assert_eq!(
                fs::metadata(&path).unwrap().uid(),
                owner,
                "{profile} {file}"
            );
            let read = std::process::Command::new("head")
                .args(["-c", "1", &path])
                .uid(NOBODY)
                .gid(NOBODY)
                .output()
                .unwrap();
            if file != "mem" {
                assert_eq!(
                    read.status.success(),
                    owner == NOBODY,
                    "{profile} {file}: {read:?}"
                );
            }
        }
    }
}

#[test]
fn a_limit_that_is_too_low_is_told_once_and_one_without_end_locks_everything() {
    use std::os::unix::{fs::MetadataExt as _, process::CommandExt as _};
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return;
    }
    let data = Data::new();
    let folder = data.path().join("data");
    fs::create_dir(&folder).unwrap();
    std::os::unix::fs::chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
    fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    fs::set_permissions(
        data.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let binary = data.path().join("server");
    fs::copy(env!("CARGO_BIN_EXE_ingest-server"), &binary).unwrap();
    // Where even root may not raise it, there is nothing to be seen of the last case.
    let mut raise = std::process::Command::new("sh");
    raise.args(["-c", "ulimit -l unlimited 2>/dev/null"]);
    let can_raise = raise.status().unwrap().success();
    let unlimited = can_raise.then_some(("unlimited", 10_000..u64::MAX));
    for (limit, locked) in [("0", 0..1), ("64", 4..65)].into_iter().chain(unlimited) {
        // Root's limit is set and its right to exceed it given up.
        let script = format!(
            "ulimit -l {limit}; exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups \
             \"{}\"",
            binary.display()
        );
        let mut command = data.production();
        command
            .env("INGEST_DATA_DIR", &folder)
            .env("PATH", std::env::var_os("PATH").unwrap());
        let mut command = shell(&script, &command);
        command.process_group(0);
        let server = Server::start_command(&data, command);
        assert!(
            locked.contains(&locked_kib(&server)),
            "{limit}: {}",
            locked_kib(&server)
        );
        let told = server
            .logs()
            .matches("the limit of locked memory is too low")
            .count();
        assert_eq!(told, usize::from(limit == "0"), "{}", server.logs());
        assert!(server.terminate().success());
    }
}

#[test]
fn the_log_has_one_line_that_says_where_it_listens() {
    let data = Data::new();
    let server = Server::start_command(&data, data.production());
    let logs = server.logs();
    let started: Vec<_> = logs
        .lines()
        .filter(|line| line.contains("\"started\""))
        .collect();
    assert_eq!(started.len(), 1, "{logs}");
    for address in [server.public_address(), server.admin_address()] {
        assert!(started[0].contains(address), "{logs}");
    }
}
