//! File descriptors: as many as are needed or no start, and health without any.

use std::{process::Command, time::Duration};

use reqwest::{Method, StatusCode};
use tokio::net::TcpStream;

use crate::harness::{ALL_SCOPES, Data, Server, page_view, readiness, run_to_end, shell, wait_for};

/// The soft and the hard limit of a process.
fn limits(pid: u32) -> (u64, u64) {
    let text = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let line = text.lines().find(|line| line.starts_with("Max open files"));
    let mut numbers = line
        .unwrap()
        .split_whitespace()
        .filter_map(|word| word.parse().ok());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

#[test]
fn the_soft_limit_is_raised_to_what_is_needed_and_a_low_hard_limit_is_refused() {
    let data = Data::new();
    let low = shell("ulimit -Sn 256; exec \"$0\"", &data.command());
    let server = Server::start_command(&data, low);
    let (soft, _) = limits(server.pid());
    assert!((1_024 + 64 + 16..5_000).contains(&soft), "{soft}");
    drop(server);

    for arguments in ["", "check-config"] {
        let script = format!("ulimit -n 600; exec \"$0\" {arguments}");
        let output = run_to_end(&mut shell(&script, &data.command()));
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        for part in [
            &soft.to_string(),
            "600",
            "INGEST_MAX_CONNECTIONS",
            "hard limit",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
    // What the message says helps.
    let mut command = data.command();
    command.env("INGEST_MAX_CONNECTIONS", "300");
    let fewer = shell("ulimit -n 600; exec \"$0\"", &command);
    drop(Server::start_command(&data, fewer));
}

/// Whatever uses up the descriptors, operators are told how the service does.
#[tokio::test]
async fn without_descriptors_health_answers_and_everything_is_well_afterwards() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let set = |soft: u64| {
        let status = Command::new("prlimit")
            .args([
                format!("--pid={}", server.pid()),
                format!("--nofile={soft}:"),
            ])
            .status();
        assert!(status.unwrap().success());
    };
    let (before, _) = limits(server.pid());
    let open = std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap();
    let open = u64::try_from(open.count()).unwrap();
    for soft in [open + 4, open, 24] {
        set(soft);
        let held: Vec<TcpStream> = {
            let connect = |_| TcpStream::connect(server.public_address());
            let held = futures_util::future::join_all((0..20).map(connect)).await;
            held.into_iter().map(Result::unwrap).collect()
        };
        wait_for("descriptors to be used up", async || {
            let metrics = server.metrics().await;
            metrics
                .get("ingest_connections_refused_total{reason=\"no_descriptor\"}")
                .copied()
        })
        .await;
        for _ in 0..20 {
            let live = server.admin(Method::GET, "/healthz");
            // It would not answer at all, and the machine may be busy.
            let live = live.timeout(Duration::from_secs(10)).send().await.unwrap();
            assert_eq!(live.status(), StatusCode::OK);
            let (status, components) = readiness(&server).await;
            assert_eq!(status, StatusCode::OK, "{components}");
        }
        drop(held);
        set(before);
        let answer = server.post("/v1/events", &key, &page_view(soft));
        assert_eq!(answer.send().await.unwrap().status(), StatusCode::ACCEPTED);
    }
}
