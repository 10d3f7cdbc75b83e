//! Values that can never do what was meant: refused with the reason, all at once, none printed.

#[path = "bad_settings/table.rs"]
mod table;

use std::{collections::BTreeSet, ffi::OsStr, os::unix::ffi::OsStrExt as _};

use self::table::{ROWS, Row};
use crate::harness::{Data, Server, run_to_end};

/// Rows that can be wrong together: one of each variable, and none that changes what another says.
fn groups() -> Vec<Vec<Row>> {
    let alone = |row: &Row| row.1.starts_with("+1:") || row.1.starts_with("01:");
    let mut groups: Vec<Vec<Row>> = Vec::new();
    for row in ROWS {
        let clashes = |group: &Vec<Row>| {
            let names: BTreeSet<_> = group.iter().map(|other| other.0).collect();
            let related = [
                ["PORTCULLIS_KEKS", "PORTCULLIS_KEKS_PRIMARY"],
                ["OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"],
                ["INGEST_DATA_DIR", "INGEST_DATABASE_URL"],
                ["OTEL_TRACES_SAMPLER", "INGEST_TRACE_SAMPLE_RATIO"],
                ["INGEST_REDIS_URL", "INGEST_REDIS_MODE"],
                ["INGEST_REDIS_URL", "INGEST_LIMITS_COUNTING"],
                ["INGEST_REDIS_URL", "INGEST_LIMITS_NODES"],
            ];
            names.contains(row.0)
                || group.iter().any(alone)
                || related.iter().any(|pair| {
                    pair.contains(&row.0)
                        && pair.iter().any(|it| *it != row.0 && names.contains(it))
                })
        };
        match groups
            .iter_mut()
            .find(|group| !alone(&row) && !clashes(group))
        {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    groups
}

#[test]
fn every_value_that_cannot_do_what_was_meant_is_refused_with_the_reason() {
    let data = Data::new();
    let groups = groups();
    assert!(groups.len() < 25, "{}", groups.len());
    for (number, group) in groups.iter().enumerate() {
        let mut command = data.command();
        command.current_dir(data.path());
        for (variable, value, _) in group {
            command.env(variable, value);
        }
        // Each with one of the two: they read the same.
        let subcommand = ["check-config", "serve"][number % 2];
        let output = run_to_end(command.arg(subcommand));
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{group:?}: {message}");
        for (variable, value, expected) in group {
            let line = format!("\n  {variable}: ");
            let told = message
                .split(&line)
                .skip(1)
                .filter_map(|rest| rest.lines().next());
            assert!(
                told.clone().any(|told| told.contains(expected)),
                "{variable}={value:?}: {expected:?} is not in {message}"
            );
            assert!(
                value.len() < 6 || expected.contains(value) || !message.contains(value),
                "{value:?} in {message}"
            );
        }
        assert!(!message.contains("canary"), "{message}");
        assert!(output.stdout.is_empty(), "it went on");
        let files = data.files();
        assert!(files.is_empty(), "{group:?} made {files:?}");
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    let data = Data::new();
    for (pairs, expected) in [
        (
            &[
                ("OTEL_TRACES_SAMPLER", "always_on"),
                ("INGEST_TRACE_SAMPLE_RATIO", "0.02"),
            ][..],
            "\n  INGEST_TRACE_SAMPLE_RATIO: is set, and OTEL_TRACES_SAMPLER too; keep one",
        ),
        (
            &[
                ("OTEL_TRACES_SAMPLER", "always_on"),
                ("OTEL_TRACES_SAMPLER_ARG", "0.1"),
            ],
            "\n  OTEL_TRACES_SAMPLER_ARG: must be unset for this sampler",
        ),
        (
            &[("OTEL_TRACES_SAMPLER", "traceidratio")],
            "\n  OTEL_TRACES_SAMPLER_ARG: must be set for this sampler",
        ),
        (
            &[
                ("OTEL_BSP_MAX_QUEUE_SIZE", "10"),
                ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "11"),
            ],
            "\n  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: must be no more than",
        ),
        (
            &[
                (
                    "INGEST_REDIS_URL",
                    "redis://127.0.0.9:6379,redis://canary:6380/1",
                ),
                ("INGEST_REDIS_MODE", "cluster"),
            ],
            "\n  INGEST_REDIS_URL: entry 2 names a database, and a cluster has only the one",
        ),
        (
            &[
                ("INGEST_LISTEN", "127.0.0.1:8081"),
                ("INGEST_ADMIN_LISTEN", "127.0.0.1:8081"),
            ],
            "\n  INGEST_ADMIN_LISTEN: must differ from INGEST_LISTEN",
        ),
        (
            &[
                ("INGEST_LISTEN", "0.0.0.0:8081"),
                ("INGEST_ADMIN_LISTEN", "127.0.0.1:8081"),
            ],
            "\n  INGEST_ADMIN_LISTEN: must differ from INGEST_LISTEN",
        ),
        (
            &[
                ("INGEST_LISTEN", "[::]:8081"),
                ("INGEST_ADMIN_LISTEN", "127.0.0.1:8081"),
            ],
            "\n  INGEST_ADMIN_LISTEN: must differ from INGEST_LISTEN",
        ),
        (
            &[
                ("INGEST_LISTEN", "127.0.0.1:8081"),
                ("INGEST_ADMIN_LISTEN", "[::ffff:127.0.0.1]:8081"),
            ],
            "\n  INGEST_ADMIN_LISTEN: must differ from INGEST_LISTEN",
        ),
        (
            &[("PORTCULLIS_KEKS_FILE", "/none")],
            "\n  PORTCULLIS_KEKS: is set, and PORTCULLIS_KEKS_FILE too; keep one",
        ),
    ] {
        let mut command = data.command();
        command.envs(pairs.iter().copied()).arg("check-config");
        let output = run_to_end(&mut command);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{pairs:?}: {message}");
        assert!(message.contains(expected), "{pairs:?}: {message}");
        assert!(message.contains("has 1 problem:"), "{pairs:?}: {message}");
    }
}

#[test]
fn values_that_are_unusual_and_right_start() {
    for pairs in [
        &[("OTEL_PROPAGATORS", "tracecontext,baggage")][..],
        &[
            ("OTEL_PROPAGATORS", "none"),
            ("INGEST_TRACE_SAMPLE_RATIO", "1e-2"),
        ],
        &[
            ("OTEL_TRACES_SAMPLER", "ParentBased_TraceIdRatio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ],
        &[
            (
                "INGEST_LOG",
                "warn,ingest_server::pipeline=debug,sqlx=error",
            ),
            ("INGEST_LISTEN", "[::1]:0"),
        ],
        &[
            ("INGEST_SERVICE_HOST", "10.0.0.1"),
            ("INGEST_PORT_8080_TCP_PORT", "8080"),
        ],
    ] {
        let data = Data::new();
        let mut command = data.command();
        command.envs(pairs.iter().copied());
        assert!(
            Server::start_command(&data, command).terminate().success(),
            "{pairs:?}"
        );
    }
}

#[test]
fn what_changes_nothing_is_told_by_check_config_and_in_the_log() {
    let pairs = [
        ("OTEL_PROPAGATORS", "tracecontext,b3"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_LOG_LEVEL", "debug"),
        ("OTEL_GO_X_SOMETHING", "canary"),
    ];
    let data = Data::new();
    let output = run_to_end(data.command().envs(pairs).arg("check-config"));
    let warnings = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{warnings}");
    let mut command = data.command();
    command.envs(pairs);
    let server = Server::start_command(&data, command);
    for (variable, _) in pairs {
        assert!(
            warnings.contains(&format!("warning: {variable}: ")),
            "{warnings}"
        );
        assert!(server.logs().contains(variable), "{variable}");
    }
    assert!(!warnings.contains("canary") && !server.logs().contains("canary"));
}

#[test]
fn values_that_are_no_text_are_named_once() {
    let data = Data::new();
    let mut command = data.command();
    let variables = [
        "INGEST_LISTEN",
        "INGEST_LOG",
        "PORTCULLIS_KEKS",
        "OTEL_SERVICE_NAME",
    ];
    for variable in variables {
        command.env(variable, OsStr::from_bytes(b"canary\xff"));
    }
    let output = run_to_end(command.arg("check-config"));
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    for variable in variables {
        assert!(
            message.contains(&format!("\n  {variable}: must be UTF-8 text")),
            "{message}"
        );
    }
    assert!(
        message.contains("has 4 problems") && !message.contains("canary"),
        "{message}"
    );
}

#[test]
fn flags_and_keys_of_the_file_are_held_to_the_same() {
    let data = Data::new();
    for (arguments, file, expected) in [
        (&["--data-dir", ""][..], "", "--data-dir: is empty"),
        (&["--log", "info "], "", "--log: has a blank"),
        (
            &["--log", "ingest_servr=debug"],
            "",
            "--log: entry 1 names no part",
        ),
        (
            &["--trace-sample-ratio", "nan"],
            "",
            "--trace-sample-ratio: must be a number from 0",
        ),
        (&[], "data_dir = \"\"", "line 1: is empty"),
        (&[], "log = \"warn\\n\"", "line 1: has a blank"),
        (
            &[],
            "data_dir = \"a\\u0007b\"",
            "line 1: has a control character",
        ),
        (
            &[],
            "trace_sample_ratio = nan",
            "line 1: must be a number from 0 to 1",
        ),
        (
            &[],
            "trace_sample_ratio = -0.0",
            "line 1: must be a number from 0 to 1",
        ),
        (&[], "trace_sample_ratio = 0x1", "line 1: must be a number"),
        (&[], "listen = 8080", "line 1: must be text in quotes"),
        (&[], "lsten = 1\nlog = true\nlisten_ = 2", "has 3 problems"),
    ] {
        let path = data.path().join("settings.toml");
        std::fs::write(&path, file).unwrap();
        let mut command = data.command();
        command
            .env_remove("INGEST_DATA_DIR")
            .env_remove("INGEST_LISTEN");
        command.current_dir(data.path());
        command
            .arg("check-config")
            .arg("--config")
            .arg(&path)
            .args(arguments);
        let output = run_to_end(&mut command);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?} {file}: {message}"
        );
        assert!(
            message.contains(expected),
            "{arguments:?} {file}: {message}"
        );
    }
}
