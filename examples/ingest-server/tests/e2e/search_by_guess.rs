//! A search asks "is this value yours?", so who sees masks is not let ask it for every value.

use std::time::Instant;

use futures_util::future::join_all;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Key, Server, page_view};

/// How often a key may search at once; one more comes back each minute.
const AT_ONCE: usize = 60;

const REASON: &str = "x-access-reason";

async fn search(server: &Server, key: &Key, query: &str, reason: Option<&str>) -> Response {
    let mut request = server.request(Method::GET, &format!("/v1/leads?{query}"), key);
    if let Some(reason) = reason {
        request = request.header(REASON, reason);
    }
    request.send().await.unwrap()
}

/// The statuses of searches that are made at the same time.
async fn search_at_once(
    server: &Server,
    key: &Key,
    reason: Option<&str>,
    times: usize,
) -> Vec<StatusCode> {
    let searches = (0..times).map(|n| async move {
        let query = format!("email=guess{n}@b.example");
        search(server, key, &query, reason).await.status()
    });
    join_all(searches).await
}

fn passed(statuses: &[StatusCode]) -> usize {
    let refused = statuses
        .iter()
        .filter(|status| **status == StatusCode::TOO_MANY_REQUESTS);
    let passed = statuses.iter().filter(|status| **status == StatusCode::OK);
    let (passed, refused) = (passed.count(), refused.count());
    assert_eq!(passed + refused, statuses.len(), "{statuses:?}");
    passed
}

/// As many as may have passed since `began`: a slow machine gives a token back each minute.
fn assert_is_limit(passed: usize, began: Instant) {
    let minutes = usize::try_from(began.elapsed().as_secs() / 60).unwrap();
    assert!(
        (AT_ONCE..=AT_ONCE + minutes).contains(&passed),
        "{passed} passed in {minutes} min"
    );
}

async fn put_limits(server: &Server, policies: &Value) {
    let request = server.admin(Method::PUT, "/admin/limits").json(policies);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
}

/// The rules of searches of a tier, as an operator sees them.
async fn search_rules(server: &Server, tier: &str) -> Value {
    let answer = server.admin(Method::GET, "/admin/limits").send().await;
    let limits: Value = answer.unwrap().json().await.unwrap();
    limits["policies"]["tier"][tier]["category"]["search"].clone()
}

/// The events of an action, as an operator sees them.
async fn events(server: &Server, query: &str) -> Vec<Value> {
    let path = format!("/admin/audit/events?limit=500&{query}");
    let answer = server.admin(Method::GET, &path).send().await.unwrap();
    let mut page: Value = answer.json().await.unwrap();
    serde_json::from_value(page["events"].take()).unwrap()
}

/// What no search of a test gets to.
fn ample_reads(tier: &str) -> Value {
    let read = json!({ "tenant": { "per-second": 1_000, "burst": 2_000 } });
    json!({ "tier": { tier: { "category": { "read": read } } } })
}

#[tokio::test]
async fn the_61st_search_of_a_key_is_refused_unless_it_may_see_what_it_finds_and_says_why() {
    let server = Server::start();
    for (tier, scopes, reason) in [
        ("free", &["leads:read"][..], None),
        ("standard", &["leads:read"], Some("support T-1042")),
        ("enterprise", &ALL_SCOPES, None),
        ("enterprise", &ALL_SCOPES, Some("  ")),
    ] {
        put_limits(&server, &ample_reads(tier)).await;
        let key = server.issue_tier("acme", tier, scopes).await;
        let began = Instant::now();
        let statuses = search_at_once(&server, &key, reason, AT_ONCE + 10).await;
        assert_is_limit(passed(&statuses), began);

        // Limits that are replaced give nobody new ones.
        put_limits(&server, &json!({})).await;
        put_limits(&server, &ample_reads(tier)).await;
        let refused = search(&server, &key, "email=a@b.example", reason).await;
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS, "{tier}");
        let wait: u64 = refused.headers()["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        // A minute, and up to a quarter more.
        assert!((1..=75).contains(&wait), "{wait}");
        let names = |name: &str| {
            let fields = refused.headers().get_all(name).iter();
            let fields = fields.map(|field| field.to_str().unwrap().to_owned());
            fields.collect::<Vec<_>>().join(", ")
        };
        assert!(names("ratelimit").contains("\"search\";r=0"));
        assert!(names("ratelimit-policy").contains("\"search\";q=60;w=3600"));
        let problem: Value = refused.json().await.unwrap();
        assert_eq!(problem["violated-policies"], json!(["search"]));

        // Reading one lead is another matter.
        let missing = "/v1/leads/00000000-0000-7000-8000-000000000000";
        let read = server.request(Method::GET, missing, &key).send().await;
        assert_eq!(read.unwrap().status(), StatusCode::NOT_FOUND);
        if scopes.contains(&"pii:read") {
            let statuses = search_at_once(&server, &key, Some("support T-1042"), 70).await;
            assert_eq!(passed(&statuses), 70);
        }
    }
}

#[tokio::test]
async fn keys_of_one_tenant_have_a_limit_each_and_a_tenant_may_be_given_one() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let first = server.issue("acme", &["leads:read"]).await;
    let second = server.issue("acme", &["leads:read"]).await;
    let began = Instant::now();
    let statuses = search_at_once(&server, &first, None, AT_ONCE + 10).await;
    assert_is_limit(passed(&statuses), began);
    let statuses = search_at_once(&server, &second, None, 10).await;
    assert_eq!(passed(&statuses), 10);

    let of_key = json!({ "per-hour": 60, "burst": 60, "name": "search" });
    let of_tenant = json!({ "per-hour": 1, "burst": 5 });
    assert_eq!(
        search_rules(&server, "enterprise").await,
        json!({ "key": of_key })
    );
    put_limits(
        &server,
        &json!({ "tier": { "enterprise": { "category": { "search": { "tenant": of_tenant } } } } }),
    )
    .await;
    let both = json!({ "key": of_key, "tenant": of_tenant });
    assert_eq!(search_rules(&server, "enterprise").await, both);
    let of_keys = [
        search_at_once(&server, &second, None, 4).await,
        search_at_once(&server, &second, None, 4).await,
    ];
    assert_eq!(passed(&of_keys.concat()), 5);
    let others = server.issue("other", &["leads:read"]).await;
    assert_eq!(passed(&search_at_once(&server, &others, None, 4).await), 4);

    // What was set survives a restart, and what was not is as by default.
    server.kill();
    let server = Server::start_on(&data);
    assert_eq!(search_rules(&server, "enterprise").await, both);
    assert_eq!(
        search_rules(&server, "free").await,
        json!({ "key": of_key })
    );
}

#[tokio::test]
async fn each_search_that_shows_masks_is_one_event_and_never_tells_what_was_looked_for() {
    let server = Server::start();
    let writer = server.issue("acme", &["leads:write"]).await;
    let clerk = server.issue("acme", &["leads:read"]).await;
    let body = json!({
        "email": "known@b.example", "phone": "+442079460958", "national_id": "52998224725"
    });
    let lead = server.lead(&writer, &body).await;
    let found = json!([{ "type": "lead", "id": lead }]);
    let table = [
        ("email=known@b.example", "lead.email", &found),
        ("email=unknown@b.example", "lead.email", &json!([])),
        ("phone=%2B44+20+7946+0958", "lead.phone", &found),
        ("phone=%2B442079460959", "lead.phone", &json!([])),
        ("national_id=529.982.247-25", "lead.national_id", &found),
        ("national_id=11144477735", "lead.national_id", &json!([])),
        // A page of it is a search as well.
        (
            "national_id=11144477735&after=00000000-0000-7000-8000-000000000000",
            "lead.national_id",
            &json!([]),
        ),
    ];
    let mut expected = Vec::new();
    for (query, field, found) in &table {
        let answer = search(&server, &clerk, query, None).await;
        assert_eq!(answer.status(), StatusCode::OK, "{query}");
        let count = found.as_array().unwrap().len();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["leads"].as_array().unwrap().len(), count, "{query}");
        expected.push(json!(["success", count, [field], found]));
    }
    let head = server.request(Method::HEAD, "/v1/leads?email=known@b.example", &clerk);
    assert_eq!(head.send().await.unwrap().status(), StatusCode::OK);
    expected.push(json!(["success", 1, ["lead.email"], found]));
    // What cannot be looked up is no guess.
    for query in ["email=known", "shoe=42", "national_id=11111111111"] {
        let answer = search(&server, &clerk, query, None).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{query}");
    }
    let statuses = search_at_once(&server, &clerk, None, AT_ONCE).await;
    let (passed, refused) = (passed(&statuses), AT_ONCE - passed(&statuses));
    expected.extend((0..passed).map(|_| json!(["success", 0, ["lead.email"], []])));

    // The first refusal at once, the others together, at the latest when the process ends.
    let data = server.data().clone();
    let metrics = server.metrics().await;
    assert!(server.terminate().success());
    let server = Server::start_on(&data);
    let all = events(
        &server,
        &format!("action=lead.search_masked&actor={}", clerk.kid),
    )
    .await;
    let (denied, mut made): (Vec<Value>, Vec<Value>) = all
        .into_iter()
        .partition(|event| event["outcome"] == "denied");
    made.reverse();
    let shown: Vec<Value> = made
        .iter()
        .map(|event| {
            json!([
                event["outcome"],
                event["count"],
                event["fields"],
                event["resources"]
            ])
        })
        .collect();
    assert_eq!(shown, expected);
    let counts = denied.iter().map(|event| event["count"].as_u64().unwrap());
    assert_eq!(usize::try_from(counts.sum::<u64>()).unwrap(), refused);
    for event in &denied {
        assert_eq!(event["detail"], "limited");
    }
    for event in denied.iter().chain(&made) {
        assert_eq!(event["tenant"], "acme");
        assert_eq!(event["activity"], "read");
        assert_eq!(
            event["actor"],
            json!({ "type": "api_key", "id": clerk.kid })
        );
        assert_eq!(event.get("reason"), None);
    }
    // Nothing else is told of a masked search: no event says that something was shown.
    assert_eq!(
        events(&server, "action=lead.search").await,
        [] as [Value; 0]
    );

    let decisions = |outcome: &str| {
        let labels =
            format!("policy=\"enterprise/search\",outcome=\"{outcome}\",source=\"memory\"");
        metrics[&format!("ratelimit_decisions_total{{{labels}}}")]
    };
    let number = |count: usize| f64::from(u32::try_from(count).unwrap());
    assert_eq!(decisions("admitted"), number(expected.len()));
    assert_eq!(decisions("refused"), number(refused));
    let told = format!("{made:?} {denied:?} {metrics:?} {}", data.logs());
    for value in [
        "b.example",
        "2079460958",
        "2079460959",
        "7946 095",
        "52998224725",
        "529.982",
        "11144477735",
    ] {
        assert!(!told.contains(value), "{value}");
    }
}

/// A valid CPF with these first nine digits.
fn cpf(nine: u32) -> String {
    let mut digits: Vec<u32> = format!("{nine:09}")
        .chars()
        .map(|digit| digit.to_digit(10).unwrap())
        .collect();
    for first in [10, 11] {
        let weights = (2..=first).rev();
        let sum: u32 = digits.iter().zip(weights).map(|(d, w)| d * w).sum();
        digits.push((sum * 10 % 11) % 10);
    }
    digits.iter().map(u32::to_string).collect()
}

/// A mask leaves a billion numbers. A caller who knows by other ways that it is one of 680, and sends all of
/// them, has tested 60, and waits a minute for each of the others: more than ten hours, on record.
#[tokio::test]
async fn a_cpf_is_not_recovered_by_sending_680_candidates() {
    const TRUE: u32 = 529_982_247;
    let server = Server::start();
    let writer = server.issue("acme", &["leads:write"]).await;
    let clerk = server.issue("acme", &["leads:read"]).await;
    assert_eq!(cpf(TRUE), "52998224725");
    let body = json!({ "email": "a@b.example", "national_id": cpf(TRUE) });
    let lead = server.lead(&writer, &body).await;
    let path = format!("/v1/leads/{lead}");
    let masked = server.request(Method::GET, &path, &clerk).send().await;
    let masked: Value = masked.unwrap().json().await.unwrap();
    let mask = masked["national_id"].as_str().unwrap();
    let shown = mask.chars().filter(char::is_ascii_digit).count();
    assert!(shown <= 2, "{masked}");

    // It stands last but one, and each is asked for in another of the ways that there are.
    let candidates: Vec<u32> = (0..680).map(|n| TRUE - 678 + n).collect();
    let began = Instant::now();
    let (mut tested, mut found) = (0, 0);
    for (part, candidates) in candidates.chunks(40).enumerate() {
        let asked = candidates.iter().map(|nine| {
            let cpf = cpf(*nine);
            let path = match part % 2 {
                0 => format!("/v1/leads?national_id={cpf}"),
                _ => format!(
                    "/v1/leads?after=00000000-0000-7000-8000-000000000000&national_id={}.{}.{}-{}",
                    &cpf[..3],
                    &cpf[3..6],
                    &cpf[6..9],
                    &cpf[9..]
                ),
            };
            let request = server.request(Method::GET, &path, &clerk);
            let request = match part % 3 {
                0 => request,
                _ => request.header(REASON, "just looking"),
            };
            async move { request.send().await.unwrap() }
        });
        for answer in join_all(asked).await {
            if answer.status() == StatusCode::OK {
                let answer: Value = answer.json().await.unwrap();
                tested += 1;
                found += answer["leads"].as_array().unwrap().len();
            } else {
                assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
            }
        }
    }
    assert_is_limit(tested, began);
    assert_eq!(found, 0);
    // It is the limit that kept it from being found.
    let reader = server.issue("acme", &["leads:read", "pii:read"]).await;
    let query = format!("national_id={}", cpf(TRUE));
    let answer = search(&server, &reader, &query, Some("test")).await;
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["leads"].as_array().unwrap().len(), 1);
}

/// "Conflicting" says that what is stored is not what was sent: a search by other means.
#[tokio::test]
async fn conflicts_of_personal_data_are_told_as_often_as_a_key_may_search() {
    const TRUE: u32 = 529_982_247;
    let server = Server::start();
    let key = server.issue("acme", &["events:write"]).await;
    let event = |nine: u32| {
        json!({
            "type": "lead.created", "source": "test/crm", "id": "1",
            "data": { "email": "a@b.example", "national_id": cpf(nine) }
        })
    };
    let send = async |events: Value| -> Value {
        let answer = server.post("/v1/events", &key, &events).send().await;
        answer.unwrap().json().await.unwrap()
    };
    assert_eq!(send(json!([event(TRUE)])).await["accepted"], 1);
    let began = Instant::now();
    let guesses: Vec<Value> = (0..680).map(|n| event(TRUE - 678 + n)).collect();
    let answer = send(json!(guesses)).await;
    assert_eq!(answer["duplicates"], 680);
    let told = answer["conflicts"].as_array().unwrap();
    assert_is_limit(told.len(), began);
    let order: Vec<u64> = told
        .iter()
        .map(|conflict| conflict["index"].as_u64().unwrap())
        .collect();
    assert!(order.is_sorted(), "{order:?}");
    // From now on, right and wrong look alike, but what holds no personal data is told as ever.
    let minutes = began.elapsed().as_secs() / 60;
    if minutes == 0 {
        let expected = json!({ "accepted": 0, "duplicates": 1, "rejected": [] });
        for nine in [TRUE, TRUE - 1] {
            assert_eq!(send(json!([event(nine)])).await, expected);
        }
    }
    let mut other = page_view(1);
    other["data"]["url"] = json!("https://shop.example/hats");
    let answer = send(json!([page_view(1), other])).await;
    assert_eq!(answer["conflicts"].as_array().unwrap().len(), 1);

    let events = events(&server, &format!("action=event.conflict&actor={}", key.kid)).await;
    let counts = events.iter().map(|event| event["count"].as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), u64::try_from(order.len()).unwrap());
    for event in &events {
        assert_eq!(event["tenant"], "acme");
        assert_eq!(event["outcome"], "success");
        assert_eq!(event["resources"], json!([]));
    }
    let conflicting = "dq_outcomes_total{tenant=\"acme\",outcome=\"duplicate_conflicting\"}";
    assert!(server.metrics().await[conflicting] >= 680.0);
}

#[tokio::test]
async fn what_was_sealed_is_no_freer_to_guess_when_its_kind_is_looked_for_no_longer() {
    let server = Server::start();
    let key = server.issue("acme", &["events:write"]).await;
    let set = async |handling: &str| {
        let policy = json!({ "default": { "national_id": handling } });
        let request = server.admin(Method::PUT, "/admin/detection").json(&policy);
        assert_eq!(
            request.send().await.unwrap().status(),
            StatusCode::NO_CONTENT
        );
    };
    let event = |nine: u32| {
        let mut event = page_view(1);
        event["data"]["visitor"] = json!(cpf(nine));
        event
    };
    let send = async |events: Value| -> Value {
        let answer = server.post("/v1/events", &key, &events).send().await;
        answer.unwrap().json().await.unwrap()
    };
    set("seal").await;
    assert_eq!(send(json!([event(529_982_247)])).await["accepted"], 1);
    set("off").await;
    let began = Instant::now();
    let guesses: Vec<Value> = (0..100).map(|n| event(111_444_000 + n)).collect();
    let answer = send(json!(guesses)).await;
    assert_eq!(answer["duplicates"], 100);
    assert_is_limit(answer["conflicts"].as_array().unwrap().len(), began);
}
