//! What the process and its runtimes do can be seen.

use crate::harness::{ALL_SCOPES, Server, page_view, wait_for};

#[tokio::test]
async fn each_runtime_and_the_process_show_what_they_do() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let before = server.metrics().await;
    for n in 0..20 {
        let answer = server.post("/v1/events", &key, &page_view(n)).send().await;
        assert!(answer.unwrap().status().is_success());
    }
    for runtime in ["main", "follower"] {
        let named = |name: &str| format!("{name}{{runtime=\"{runtime}\"}}");
        assert!(before[&named("tokio_workers")] >= 1.0, "{runtime}");
        assert!(before[&named("tokio_alive_tasks")] >= 0.0, "{runtime}");
        assert!(
            before[&named("tokio_global_queue_depth")] >= 0.0,
            "{runtime}"
        );
        // The follower reads the changes of keys whether or not there are any.
        for name in [
            "tokio_workers_busy_seconds_total",
            "tokio_workers_parks_total",
        ] {
            let name = named(name);
            wait_for(&name, async || {
                (server.metrics().await[&name] > before[&name]).then_some(())
            })
            .await;
        }
    }
    let after = server.metrics().await;
    assert!(after["process_cpu_seconds_total"] >= before["process_cpu_seconds_total"]);
    for name in [
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_max_fds",
        "process_threads",
        "process_start_time_seconds",
    ] {
        assert!(after[name] > 0.0, "{name}");
    }
}
