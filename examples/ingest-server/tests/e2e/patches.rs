//! A lead is changed field by field, and other fields than the e-mail can belong to one lead alone.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Key, Server, run_to_end};

async fn patch(server: &Server, key: &Key, id: &str, body: Value) -> Response {
    let request = server.request(Method::PATCH, &format!("/v1/leads/{id}"), key);
    let request = request.header("content-type", "application/merge-patch+json");
    request.body(body.to_string()).send().await.unwrap()
}

async fn read(server: &Server, key: &Key, id: &str) -> Value {
    let request = server.request(Method::GET, &format!("/v1/leads/{id}"), key);
    let answer = request.header("x-access-reason", "test").send().await;
    let mut lead: Value = answer.unwrap().json().await.unwrap();
    for name in ["id", "created_at", "updated_at", "masked"] {
        lead.as_object_mut().unwrap().remove(name);
    }
    lead
}

type SealedColumn = Option<Vec<u8>>;

async fn sealed(server: &Server, id: &str) -> [SealedColumn; 3] {
    let columns: (SealedColumn, SealedColumn, SealedColumn) =
        sqlx::query_as("SELECT email_enc, phone_enc, name_enc FROM lead WHERE id = ?")
            .bind(id)
            .fetch_one(&mut server.data().connect().await)
            .await
            .unwrap();
    columns.into()
}

fn person() -> Value {
    json!({ "email": "Ada@person.example", "phone": "+442079460958", "name": "Ada Lovelace" })
}

#[tokio::test]
async fn a_patch_sets_and_clears_what_it_names_and_seals_what_it_changes() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let id = server.lead(&key, &person()).await;
    let before = sealed(&server, &id).await;
    let change = json!({
        "email": "Ada@person.example", "phone": null, "name": "Ada King", "address": "1 Street",
    });
    // Twice is once.
    for _ in 0..2 {
        let answer = patch(&server, &key, &id, change.clone()).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(answer.headers().contains_key("ratelimit"));
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "id": id }));
        let expected = json!({
            "email": "Ada@person.example", "name": "Ada King", "address": "1 Street",
        });
        assert_eq!(read(&server, &key, &id).await, expected);
    }
    let after = sealed(&server, &id).await;
    assert_eq!(after[0], before[0], "the e-mail is the same");
    assert_eq!(after[1], None);
    assert_ne!(after[2], before[2]);
    // Another spelling of the same e-mail is another text.
    let answer = patch(&server, &key, &id, json!({ "email": "ada@person.example" })).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(
        read(&server, &key, &id).await["email"],
        "ada@person.example"
    );
    // The lead is found by what it has, and not by what it had.
    for (query, leads) in [
        ("email=ada@person.example", 1),
        ("name=king", 1),
        ("name=lovelace", 0),
        ("phone=%2B442079460958", 0),
    ] {
        let request = server.request(Method::GET, &format!("/v1/leads?{query}"), &key);
        let found: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(found["leads"].as_array().unwrap().len(), leads, "{query}");
    }
}

#[tokio::test]
async fn a_patch_is_refused_as_a_lead_is() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let id = server.lead(&key, &person()).await;
    let other = server
        .lead(&key, &json!({ "email": "other@person.example" }))
        .await;
    let reader = server.issue("acme", &["leads:read"]).await;
    let stranger = server.issue("globex", &ALL_SCOPES).await;
    let name = || json!({ "name": "X" });
    for (key, id, body, status, reason) in [
        (
            &reader,
            id.as_str(),
            name(),
            StatusCode::FORBIDDEN,
            "auth.scope",
        ),
        (&stranger, &id, name(), StatusCode::NOT_FOUND, "not_found"),
        (&key, "none", name(), StatusCode::NOT_FOUND, "not_found"),
        (
            &key,
            &id,
            json!({ "email": "other@person.example" }),
            StatusCode::CONFLICT,
            "semantic.taken",
        ),
        (
            &key,
            &other,
            json!({ "email": null }),
            StatusCode::UNPROCESSABLE_ENTITY,
            "schema.constraint",
        ),
        (
            &key,
            &id,
            json!({}),
            StatusCode::UNPROCESSABLE_ENTITY,
            "schema.constraint",
        ),
        (
            &key,
            &id,
            json!({ "email": "no address" }),
            StatusCode::UNPROCESSABLE_ENTITY,
            "schema.constraint",
        ),
        (
            &key,
            &id,
            json!({ "shoe": null }),
            StatusCode::UNPROCESSABLE_ENTITY,
            "schema.additional_property",
        ),
    ] {
        let answer = patch(&server, key, id, body.clone()).await;
        assert_eq!(answer.status(), status, "{body}");
        let problem: Value = answer.json().await.unwrap();
        let (told, kind) = (&problem["reason"], problem["type"].as_str().unwrap());
        assert!(
            told == reason || kind.ends_with(reason),
            "{body}: {problem}"
        );
    }
    assert_eq!(read(&server, &key, &id).await, person());
    let request = server.request(Method::PATCH, &format!("/v1/leads/{id}"), &key);
    let request = request.header("content-type", "text/plain").body("{}");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    // What replaces the last field may take it away.
    let replaced = json!({ "email": null, "phone": "+442079460959" });
    let answer = patch(&server, &key, &other, replaced).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let metrics = server.metrics().await;
    let accepted = metrics
        .iter()
        .filter(|(name, _)| name.starts_with("dq_outcomes_total{") && name.contains("accepted"));
    assert!(
        accepted.map(|(_, count)| count).sum::<f64>() >= 3.0,
        "it is accounted for"
    );
}

fn with_unique(data: &Data, fields: &str) -> std::process::Command {
    let mut command = data.command();
    command.env("INGEST_UNIQUE_LEAD_FIELDS", fields);
    command
}

#[tokio::test]
async fn a_national_id_belongs_to_one_lead_where_that_is_configured() {
    let data = Data::new();
    let server = Server::start_command(&data, with_unique(&data, "email,national_id"));
    let key = server.issue("acme", &ALL_SCOPES).await;
    let person = |email: &str| json!({ "email": email, "national_id": "529.982.247-25" });
    let id = server.lead(&key, &person("a@person.example")).await;
    let post = async |query: &str, body: Value| {
        let answer = server
            .post(&format!("/v1/leads{query}"), &key, &body)
            .send();
        let answer = answer.await.unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap())
    };
    // The same number, written otherwise.
    let second = json!({ "email": "b@person.example", "national_id": "52998224725" });
    let (status, problem) = post("", second.clone()).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(problem["reason"], "semantic.taken");
    let (status, _) = post("", json!({ "national_id": "52998224725" })).await;
    assert_eq!(status, StatusCode::CONFLICT);
    // Who comes again by the e-mail is who was there.
    let (status, same) = post("", person("a@person.example")).await;
    assert_eq!((status, &same["id"]), (StatusCode::OK, &json!(id)));
    let (status, same) = post("?on_conflict=update", second).await;
    assert_eq!((status, &same["id"]), (StatusCode::OK, &json!(id)));
    assert_eq!(read(&server, &key, &id).await["email"], "b@person.example");
    let (status, _) = post("?on_conflict=other", person("c@person.example")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    // By the e-mail one lead and by the number another: neither is taken for the other.
    let other = server
        .lead(&key, &json!({ "email": "other@person.example" }))
        .await;
    let (status, _) = post("?on_conflict=update", person("other@person.example")).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let taken = json!({ "national_id": "52998224725" });
    let answer = patch(&server, &key, &other, taken).await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    // An event says of nobody that it is meant.
    let event = json!({
        "type": "lead.created", "source": "test/crm", "id": "1", "data": person("d@person.example"),
    });
    let answer = server
        .post("/v1/events", &key, &event)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["reason"], "semantic.taken", "{problem}");
    // Within one batch as well, and of another tenant not at all.
    let stranger = server.issue("globex", &ALL_SCOPES).await;
    let created = |id: &str, email: &str| json!({ "type": "lead.created", "source": "test/crm", "id": id, "data": person(email) });
    let batch = json!([
        created("1", "e@person.example"),
        created("2", "f@person.example")
    ]);
    let answer = server.post("/v1/events", &stranger, &batch).send().await;
    let answer: Value = answer.unwrap().json().await.unwrap();
    assert_eq!(answer["accepted"], 1, "{answer}");
    assert_eq!(
        answer["rejected"][0]["reason"], "semantic.taken",
        "{answer}"
    );
}

#[tokio::test]
async fn a_field_that_leads_share_cannot_be_made_unique() {
    let server = Server::start();
    let data = server.data().clone();
    let key = server.issue("acme", &ALL_SCOPES).await;
    for (email, phone) in [("a", 58), ("b", 58), ("c", 59), ("d", 59), ("e", 60)] {
        let lead = json!({
            "email": format!("{email}@person.example"), "phone": format!("+4420794609{phone}"),
        });
        server.lead(&key, &lead).await;
    }
    assert!(server.terminate().success());
    let refused = |command: &str, fields, why: &str| {
        let output = run_to_end(with_unique(&data, fields).args(command.split(' ')));
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{command}: {message}");
        assert!(message.contains(why), "{command}: {message}");
        assert!(!message.contains("7946"), "{message}");
    };
    let change = "index unique";
    refused(change, "email,phone", "`phone`, and 2 of its values");
    // Left out of the setting, all is as it was.
    let server = Server::start_on(&data);
    for (email, phone) in [("a", 61), ("c", 62)] {
        let body = json!({
            "email": format!("{email}@person.example"), "phone": format!("+4420794609{phone}"),
        });
        server.lead(&key, &body).await;
    }
    // What processes hold is changed for all of them, also while they run.
    let both = "is `email,phone`, and the processes of this database hold `email` unique";
    for command in ["check-config", "serve"] {
        refused(command, "email,phone", both);
    }
    let changed = run_to_end(with_unique(&data, "phone,email").args(["index", "unique"]));
    assert!(changed.status.success(), "{changed:?}");
    let one = "is `email`, and the processes of this database hold `email,phone` unique";
    for command in ["check-config", "serve"] {
        refused(command, "email", one);
    }
    // One that runs on without knowing of it lets nothing through.
    let taken = json!({ "email": "new@person.example", "phone": "+442079460960" });
    let answer = server.post("/v1/leads", &key, &taken).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let known = Server::start_command(&data, with_unique(&data, "email,phone"));
    let answer = known.post("/v1/leads", &key, &taken).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    // On record, and taken back.
    let path = "/admin/audit/events?log=command-line&action=index.unique";
    let events = known.admin(Method::GET, path).send().await.unwrap();
    let events: Value = events.json().await.unwrap();
    let outcomes = events["events"].as_array().unwrap().iter();
    let outcomes: Vec<_> = outcomes.map(|it| it["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["success", "unknown", "failure", "unknown"]);
    let changed = run_to_end(with_unique(&data, "email").args(["index", "unique", "--json"]));
    assert_eq!(changed.stdout, b"{\"fields\":\"email\"}\n");
    assert!(Server::start_on(&data).terminate().success());
}

/// An earlier version noted nothing: what its processes hold, its indexes say.
#[tokio::test]
async fn the_fields_of_an_earlier_version_are_not_dropped_silently() {
    let data = Data::new();
    let server = Server::start_command(&data, with_unique(&data, "email,phone"));
    assert!(server.terminate().success());
    let mut database = data.connect().await;
    let forget = sqlx::query("DELETE FROM sweep_cursor");
    forget.execute(&mut database).await.unwrap();
    for command in ["check-config", "serve"] {
        let output = run_to_end(with_unique(&data, "email").arg(command));
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains("hold `email,phone` unique"), "{message}");
    }
    let server = Server::start_command(&data, with_unique(&data, "email,phone"));
    assert!(server.terminate().success());
}

#[tokio::test]
async fn leads_are_found_by_a_part_of_their_name_page_by_page() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let leads: Value = (0..150)
        .map(|n| {
            let name = if n % 3 == 0 {
                "Maria da Silva"
            } else {
                "João Souza"
            };
            json!({
                "type": "lead.created", "source": "test/web", "id": n.to_string(),
                "data": { "email": format!("p{n}@b.example"), "name": format!("{name} {n}") }
            })
        })
        .collect();
    let answer = server.post("/v1/events", &key, &leads).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::ACCEPTED);
    let stranger = server.issue("globex", &ALL_SCOPES).await;
    let find = async |key: &Key, query: &str| {
        let request = server.request(Method::GET, &format!("/v1/leads?{query}"), key);
        let request = request.header("x-access-reason", "test");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{query}");
        answer.json::<Value>().await.unwrap()
    };
    // Accents and case make no difference, and only names with the part are shown.
    for (query, leads) in [
        ("name=silva", 50),
        ("name=DA%20SIL", 50),
        ("name=joao+souza", 100),
        ("name=souza%201", 42),
        ("name=souza%20148", 1),
        ("name=silvas", 0),
        ("name=xyz", 0),
    ] {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = find(&key, &format!("{query}{after}")).await;
            let leads = page["leads"].as_array().unwrap().clone();
            assert!(leads.len() <= 100);
            all.extend(leads);
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(all.len(), leads, "{query}");
    }
    assert!(
        find(&stranger, "name=silva").await["leads"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    for query in ["name=si", "name=", "name=%20a%20", "name=si-"] {
        let request = server.request(Method::GET, &format!("/v1/leads?{query}"), &key);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{query}");
    }
    // Who sees masks tests a guess, and that is on record.
    let reader = server.issue("acme", &["leads:read"]).await;
    let request = server.request(Method::GET, "/v1/leads?name=souza%20148", &reader);
    let page: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(page["leads"][0]["masked"], true);
    let path = "/admin/audit/events?tenant=acme&action=lead.search_masked";
    let events = server.admin(Method::GET, path).send().await.unwrap();
    let events: Value = events.json().await.unwrap();
    assert_eq!(events["events"][0]["fields"], json!(["lead.name"]));
}

/// Leads that an earlier version wrote have no entries for parts of their names.
#[tokio::test]
async fn names_of_earlier_leads_are_found_after_the_upgrade() {
    let server = Server::start();
    let data = server.data().clone();
    let key = server.issue("acme", &ALL_SCOPES).await;
    server.lead(&key, &person()).await;
    server.lead(&key, &json!({ "name": "Bo" })).await;
    assert!(server.terminate().success());
    let mut database = data.connect().await;
    for statement in [
        r#"DELETE FROM lead_index WHERE "index" = 'search'"#,
        "DELETE FROM sweep_cursor",
    ] {
        sqlx::query(statement).execute(&mut database).await.unwrap();
    }
    let server = Server::start_on(&data);
    crate::harness::wait_for("names to be indexed", async || {
        let request = server.request(Method::GET, "/v1/leads?name=lovelace", &key);
        let found: Value = request.send().await.unwrap().json().await.unwrap();
        (found["leads"].as_array().unwrap().len() == 1).then_some(())
    })
    .await;
    crate::harness::wait_for("the end of that", async || {
        let done = "SELECT count(*) FROM sweep_cursor WHERE cursor = 'all'";
        let done: i64 = sqlx::query_scalar(done)
            .fetch_one(&mut data.connect().await)
            .await
            .unwrap();
        (done == 2).then_some(())
    })
    .await;
}
