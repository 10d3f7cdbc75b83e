//! Each command of the pages for who runs the service is run as it stands there, beside a service that runs: those of
//! a fence `sh`, and those that a table gives.

use std::{
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::harness::{ALL_SCOPES, Data, Server, on_record, run_to_end};

/// Pages, and how many commands each has at least.
const PAGES: [(&str, &str, usize); 3] = [
    (
        "operations.md",
        include_str!("../../../../docs/operations.md"),
        39,
    ),
    (
        "incident-response.md",
        include_str!("../../../../docs/incident-response.md"),
        9,
    ),
    (
        "change-management.md",
        include_str!("../../../../docs/change-management.md"),
        4,
    ),
];

/// What a command of a table may begin with.
const PROGRAMS: [&str; 3] = ["ingest-server ", "curl ", "df "];

/// All commands of a page, in their order.
fn commands(page: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut block: Option<String> = None;
    for line in page.lines() {
        match &mut block {
            Some(text) if line.trim() == "```" => {
                commands.push(std::mem::take(text));
                block = None;
            }
            Some(text) => text.push_str(&format!("{}\n", line.trim_start())),
            None if line.trim() == "```sh" => block = Some(String::new()),
            None if line.trim_start().starts_with('|') => {
                let quoted = line.split('`').skip(1).step_by(2);
                let is_command = |it: &&str| PROGRAMS.iter().any(|program| it.starts_with(program));
                commands.extend(quoted.filter(is_command).map(str::to_owned));
            }
            None => {}
        }
    }
    commands
}

/// The date, as commands take it.
fn today() -> String {
    let output = Command::new("date").args(["-u", "+%F"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn each_command_of_a_page_does_what_it_is_for() {
    for (name, page, least) in PAGES {
        let data = Data::new();
        let server = Server::start_on(&data);
        let key = server.issue("acme", &ALL_SCOPES).await;
        let lead = server
            .lead(&key, &json!({ "email": "ada@example.com" }))
            .await;
        server.read_lead(&key, &lead).await;
        let entry = on_record(&server, "&action=lead.read").await;
        let entry = entry[0]["n"].to_string();
        // With a proof its checkpoint is published, which would be within a minute otherwise.
        let proof = server.admin(Method::GET, &format!("/admin/audit/events/{entry}/proof"));
        assert_eq!(proof.send().await.unwrap().status(), StatusCode::OK);
        let commands = commands(page);
        assert!(commands.len() >= least, "{} in {name}", commands.len());
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for folder in ["deploy", "docs"] {
            symlink(repository.join(folder), data.path().join(folder)).unwrap();
        }
        for command in commands {
            let mut shell = shell(&server, &command);
            shell
                .env("TENANT", "acme")
                .env("KID", &key.kid)
                .env("LEAD", &lead)
                .env("N", &entry)
                .env("DAY", today())
                .stdin(Stdio::null());
            let output = run_to_end(&mut shell);
            assert!(output.status.success(), "{name}: {command}\n{output:?}");
            // Which leads were read in the clear, and by whom.
            if command.contains("--action lead.read") {
                let said = String::from_utf8(output.stdout).unwrap();
                assert!(said.contains(&lead) && said.contains(&key.kid), "{said}");
            }
        }
    }
}

/// A shell with the programs and the settings of who runs the service.
fn shell(server: &Server, script: &str) -> Command {
    let settings = server.data().command();
    let binary = Path::new(settings.get_program()).parent().unwrap();
    let mut shell = Command::new("sh");
    shell
        .args(["-e", "-c", script])
        .current_dir(server.data().path())
        .env_clear()
        .envs(
            settings
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .env(
            "PATH",
            format!("{}:/usr/local/bin:/usr/bin:/bin", binary.display()),
        )
        .env("ADMIN", format!("http://{}", server.admin_address()))
        .env("PUBLIC", format!("http://{}", server.public_address()));
    shell
}
