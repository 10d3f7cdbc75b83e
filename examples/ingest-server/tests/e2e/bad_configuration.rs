//! What cannot be started with is told in one message.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

use crate::harness::{Data, Server, run_to_end};

#[test]
fn every_problem_is_in_one_message_with_exit_code_2_and_no_secret() {
    let data = Data::new();
    for subcommand in ["serve", "check-config"] {
        let output = data
            .command()
            .env("INGEST_PROFILE", "production")
            .env("INGEST_LISTEN", "nowhere")
            .env("INGEST_ADMIN_LISTEN", "0.0.0.0:9090")
            .env("INGEST_DATABASE_URL", "postgres://canary@localhost/db")
            .env("INGEST_SCHEMA_DIR", "/canary-folder")
            .env("INGEST_DATA_DIR", OsStr::from_bytes(b"canary\xff"))
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://canary")
            .env("OTEL_BSP_MAX_QUEUE_SIZE", "canary")
            .env("INGEST_LOG", "info,ingest_server=canary")
            .env("INGEST_ADMIN_TOKEN", "canary")
            .env("PORTCULLIS_KEKS", "1:canary")
            .env_remove("PORTCULLIS_INDEX_ROOTS")
            .arg(subcommand)
            .output()
            .unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{message}");
        for variable in [
            "INGEST_LISTEN",
            "INGEST_ADMIN_LISTEN",
            "INGEST_DATABASE_URL",
            "INGEST_SCHEMA_DIR",
            "INGEST_DATA_DIR",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "OTEL_BSP_MAX_QUEUE_SIZE",
            "INGEST_LOG",
            "INGEST_ADMIN_TOKEN",
            "PORTCULLIS_KEKS",
            "PORTCULLIS_INDEX_ROOTS",
        ] {
            let line = format!("\n  {variable}: ");
            assert!(
                message.contains(&line),
                "{variable} is missing in {message}"
            );
        }
        assert!(!message.contains("canary"), "{message}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_good_configuration_is_said_to_be_good() {
    let output = Data::new().run(&["check-config"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"the configuration is valid\n");
}

#[test]
fn broken_schemas_are_named_with_what_else_is_wrong() {
    let data = Data::new();
    let folder = data.path().join("schemas/page.viewed");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("1.json"), r#"{"type": "strin"}"#).unwrap();
    std::fs::write(folder.join("2.json"), "{").unwrap();
    std::fs::write(folder.join("two.json"), "{}").unwrap();
    let output = data
        .command()
        .env("INGEST_SCHEMA_DIR", folder.parent().unwrap())
        .env("INGEST_LISTEN", "nowhere")
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    for part in ["1.json: ", "2.json: ", "two.json: ", "INGEST_LISTEN: "] {
        assert!(message.contains(part), "{part} is missing in {message}");
    }
}

#[test]
fn a_taken_address_is_named_and_nothing_is_made() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for variable in ["INGEST_LISTEN", "INGEST_ADMIN_LISTEN"] {
        for (command, is_bare) in [("serve", false), ("serve", true), ("demo", true)] {
            let data = Data::new();
            let folder = data.path().join("new");
            let mut process = if is_bare { data.bare() } else { data.command() };
            let output = process
                .arg(command)
                .env("INGEST_DATA_DIR", &folder)
                .env(variable, &address)
                .output()
                .unwrap();
            let message = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{message}");
            assert!(
                message.contains(&format!("cannot listen on {address}")),
                "{message}"
            );
            assert!(!folder.exists(), "{variable} {command} {is_bare}");
        }
    }
}

#[test]
fn a_database_that_is_a_folder_is_named() {
    let data = Data::new();
    std::fs::create_dir(data.database()).unwrap();
    for command in [&["serve"][..], &["check-config"], &["api-key", "list"]] {
        let output = data.run(command);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        let expected = format!("the database {} is not a file", data.database().display());
        assert!(message.contains(&expected), "{command:?}: {message}");
    }
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let data = Data::new();
    std::fs::write(
        data.database(),
        "this is not a database, it is a text of some length",
    )
    .unwrap();
    let output = data.command().output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        message.contains("the database cannot be opened"),
        "{message}"
    );
}

#[test]
fn the_demo_does_not_run_in_production() {
    let data = Data::new();
    let output = data.production().arg("demo").output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("dev profile only"), "{message}");
    assert!(!data.database().exists());
}

#[test]
fn a_key_command_in_the_wrong_folder_makes_no_database() {
    let data = Data::new();
    let wrong = data.path().join("mistyped");
    let issue = ["issue", "--tenant", "acme", "--scopes", "events:write"];
    for arguments in [&["list"][..], &["revoke", "AAAAAAAAAAAAAAAA"], &issue] {
        let mut command = data.command();
        command.arg("api-key").args(arguments);
        let output = command.arg("--data-dir").arg(&wrong).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{message}");
        let path = wrong.join("ingest.db");
        assert!(message.contains(path.to_str().unwrap()), "{message}");
        assert!(message.contains("--data-dir"), "{message}");
        assert!(!wrong.exists());
    }
}

#[test]
fn variables_that_are_no_setting_are_named_in_one_warning_without_their_values() {
    let data = Data::new();
    for profile in ["dev", "production"] {
        let mut command = data.production();
        command
            .env("INGEST_PROFILE", profile)
            .env("INGEST_PORT_8080_TCP_ADDR", "canary-address")
            .env("PORTCULLIS_OTHER", "canary-key");
        let server = Server::start_command(&data, command);
        let logs = server.logs();
        let mut warnings = logs.lines().filter(|line| line.contains("no setting"));
        let warning = warnings.next().unwrap();
        assert!(warning.contains("INGEST_PORT_8080_TCP_ADDR, PORTCULLIS_OTHER"));
        assert!(warnings.next().is_none() && !logs.contains("canary"));
    }
}

#[test]
fn a_variable_that_platforms_inject_is_a_warning_of_check_config() {
    let data = Data::new();
    let mut command = data.command();
    command
        .env("INGEST_LOG_DRIVER", "canary")
        .env("INGEST_SERVICE_HOST", "canary")
        .env("INGEST_TRACE_SAMPLE_RATIO", "1")
        .arg("check-config");
    let output = run_to_end(&mut command);
    let warnings = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{warnings}");
    assert_eq!(output.stdout, b"the configuration is valid\n");
    let expected = "warning: INGEST_LOG_DRIVER, INGEST_SERVICE_HOST: set, and no setting of this \
                    service\n";
    assert!(warnings.contains(expected), "{warnings}");
    assert!(
        warnings.contains("warning: INGEST_TRACE_SAMPLE_RATIO: "),
        "{warnings}"
    );
    assert!(!warnings.contains("canary"), "{warnings}");
}

#[test]
fn a_flag_is_named_as_it_was_given() {
    let data = Data::new();
    let mut command = data.command();
    command.args(["check-config", "--listen", "localhost:8080", "--log", "="]);
    let output = run_to_end(&mut command);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    let line = "\n  --listen: must be an IP address and a port, such as 127.0.0.1:8080";
    assert!(message.contains(line), "{message}");
    assert!(message.contains("\n  --log: is not a filter"), "{message}");
    assert!(!message.contains("INGEST_"), "{message}");
}

#[test]
fn a_bad_argument_of_a_key_command_exits_with_2() {
    let data = Data::new();
    assert!(Server::start_on(&data).terminate().success());
    let issue = ["issue", "--tenant", "acme", "--scopes"];
    for wrong in [
        &["events:write", "--tier", "gold"][..],
        &["events:paint"],
        &["events:write", "--expires-at", "tomorrow"],
        &["events:write", "--expires-at", "2001-01-01T00:00:00Z"],
        &["events:write", "--tenant-id", "x"],
    ] {
        let mut command = data.command();
        let output = run_to_end(command.arg("api-key").args(issue).args(wrong));
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {output:?}");
    }
    for wrong in [["revoke", "no kid"], ["list", "--tenant="]] {
        let output = run_to_end(data.command().arg("api-key").args(wrong));
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {output:?}");
    }
}

#[test]
fn help_has_a_commands_own_arguments_first_and_then_the_servers() {
    let output = Data::new().run(&["api-key", "issue", "--help"]);
    let help = String::from_utf8(output.stdout).unwrap();
    let (own, rest) = help.split_once("\nServer settings:\n").unwrap();
    let (servers, environment) = rest.split_once("\nEnvironment only:\n").unwrap();
    let at = |name: &str| own.find(&format!("\n      {name} ")).unwrap();
    assert!(at("--tenant") < at("--scopes") && at("--scopes") < at("--tier"));
    assert!(!own.contains("--listen"), "{own}");
    assert!(
        servers.contains("[env: INGEST_LISTEN] [default: 127.0.0.1:8080]"),
        "{servers}"
    );
    for variable in [
        "PORTCULLIS_KEK_PROVIDER",
        "INGEST_ADMIN_TOKEN",
        "PORTCULLIS_KEKS",
    ] {
        assert!(environment.contains(variable), "{environment}");
    }
}

#[test]
fn keys_are_listed_under_a_header_in_columns() {
    let data = Data::new();
    assert!(Server::start_on(&data).terminate().success());
    for tenant in ["acme", "a-tenant-with-a-longer-name"] {
        let scopes = ["--scopes", "events:write"];
        let mut command = data.command();
        command.args(["api-key", "issue", "--tenant", tenant]);
        assert!(run_to_end(command.args(scopes)).status.success());
    }
    let output = data.run(&["api-key", "list"]);
    let list = String::from_utf8(output.stdout).unwrap();
    let mut lines = list.lines();
    let header = lines.next().unwrap();
    assert!(header.starts_with("KID "), "{list}");
    let column = header.find("SCOPES").unwrap();
    assert!(lines.all(|line| line[column..] == *"events:write" && line.is_char_boundary(column)));
    assert_eq!(list.lines().count(), 3);
}
