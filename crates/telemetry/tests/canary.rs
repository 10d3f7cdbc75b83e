//! Unique secrets are put wherever a program could put them, and none of them comes out: not in
//! log lines, not in OTLP bytes, not in metrics, in no usual encoding. With redaction off, each
//! comes out, which shows that the search would have found it.
#![expect(
    clippy::unwrap_used,
    reason = "what a test does not expect is to fail it"
)]

#[path = "support/lines.rs"]
mod lines;
#[path = "support/sink.rs"]
mod sink;

use std::{convert::Infallible, time::Duration};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use portcullis_telemetry::{
    Environment, HttpLayer, Otlp, Ratio, Redaction, Sampling, Telemetry, log_panics,
};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tracing::{error, info, info_span, warn};
use tracing_subscriber::layer::SubscriberExt;

use self::{lines::Lines, sink::Sink};

/// What a pattern recognises, wherever it stands.
const BY_VALUE: [&str; 12] = [
    "canary.field@secret.example",
    "canary.message@secret.example",
    "canary.error@secret.example",
    "canary.cause@secret.example",
    "canary.panic@secret.example",
    "canary.span@secret.example",
    "canary.recorded@secret.example",
    "canary.status@secret.example",
    "canary.name@secret.example",
    "pcl_live_CanaryKeyQ7x9ZpT4",
    "4012888888881881",
    "+4915112345678",
];
/// What nothing but the field's name gives away.
const BY_NAME: [&str; 3] = [
    "kX9-password-canary",
    "kX9-header-canary",
    "kX9-span-canary",
];
/// What only an allow list hides.
const BY_LIST: [&str; 2] = ["kX9-note-canary", "kX9-remark-canary"];
/// What telemetry never looks at.
const NEVER_READ: [&str; 5] = [
    "canary.path@secret.example",
    "kX9-query-canary",
    "kX9-cookie-canary",
    "kX9-baggage-canary",
    "kx9-tracestate-canary",
];

struct Output {
    logs: Vec<u8>,
    otlp: Vec<u8>,
    metrics: Vec<u8>,
}

fn run(redaction: Redaction) -> Output {
    // Another crate of the workspace may have the HTTP client's TLS without a provider of cryptography.
    drop(rustls::crypto::ring::default_provider().install_default());
    let (lines, sink) = (Lines::default(), Sink::start());
    let (layer, guard) = Telemetry::builder("canary")
        .environment(Environment::empty())
        .otlp(Otlp::HttpAt(sink.url().to_owned()))
        .sampling(Sampling::head(Ratio::ALL))
        .writer(lines.clone())
        .redaction(redaction)
        .layer()
        .unwrap();
    let http = HttpLayer::new(guard.registry(), |_| Some("/v1/leads/{id}")).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let service = ServiceBuilder::new()
            .layer(http)
            .service(service_fn(handle));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(service.oneshot(request())).unwrap();
    });
    let metrics = guard.registry().render(None).unwrap().body.into_bytes();
    let report = guard.shutdown(Duration::from_secs(10));
    assert!(report.flushed >= 2 && report.dropped == 0, "{report:?}");
    Output {
        logs: lines.text().into_bytes(),
        otlp: sink.bytes(),
        metrics,
    }
}

fn request() -> http::Request<String> {
    let [path, query, cookie, baggage, tracestate] = NEVER_READ;
    http::Request::post(format!("/v1/leads/{path}?q={query}"))
        .header("cookie", format!("session={cookie}"))
        .header("baggage", format!("user={baggage}"))
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
        .header("tracestate", format!("vendor={tracestate}"))
        .body(format!("body of {path}"))
        .unwrap()
}

async fn handle(_: http::Request<String>) -> Result<http::Response<()>, Infallible> {
    let [
        field,
        message,
        failure,
        cause,
        panic,
        span,
        recorded,
        status,
        name,
        key,
        card,
        phone,
    ] = BY_VALUE;
    let stage = info_span!(
        "stage",
        otel.name = format!("for {name}"),
        otel.status_description = format!("{status} is wrong"),
        who = span,
        late = tracing::field::Empty,
        user.secret = BY_NAME[2],
        remark = BY_LIST[1],
    );
    let _entered = stage.enter();
    stage.record("late", format!("{recorded}, {key}"));
    info!(text = field, number = ?Some(card), note = BY_LIST[0], "about {message}, {phone}");
    warn!(password = BY_NAME[0], authorization = %BY_NAME[1], key, "named {card}");
    let inner = std::io::Error::other(format!("bounced: {cause}"));
    let outer = Failure {
        text: format!("no mail to {failure}, called {phone}"),
        inner,
    };
    error!(error = &outer as &(dyn std::error::Error + 'static), debug = ?outer, "failed {key}");
    let panicked = std::panic::catch_unwind(|| panic!("no user {panic} ({card})"));
    assert!(panicked.is_err());
    Ok(http::Response::new(()))
}

#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Failure {
    text: String,
    #[source]
    inner: std::io::Error,
}

/// The secret as it is, percent-encoded, in hexadecimal, and in Base64 at each of its alignments.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let percent: String = secret
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    let mut forms = vec![
        secret.to_owned(),
        percent,
        hex::encode(secret),
        hex::encode_upper(secret),
    ];
    for shift in 0..3 {
        let shifted = [vec![0; shift], secret.as_bytes().to_vec()].concat();
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&shifted);
            // The first and the last quartet also depend on what stands around the secret.
            forms.push(encoded[4..encoded.len() - 4].to_owned());
        }
    }
    forms.into_iter().map(String::into_bytes).collect()
}

fn contains(place: &[u8], secret: &str) -> bool {
    forms(secret)
        .iter()
        .any(|form| place.windows(form.len()).any(|window| window == form))
}

fn leaked<'s>(output: &Output, secrets: &[&'s str]) -> Vec<&'s str> {
    let places = [&output.logs, &output.otlp, &output.metrics];
    let leaks = |secret: &&&str| places.iter().any(|place| contains(place, secret));
    secrets.iter().filter(leaks).copied().collect()
}

#[test]
fn no_secret_leaves_the_process_and_the_search_would_see_it() {
    log_panics();
    let none: [&str; 0] = [];

    let standard = run(Redaction::standard());
    assert_eq!(leaked(&standard, &BY_VALUE), none);
    assert_eq!(leaked(&standard, &BY_NAME), none);
    assert_eq!(leaked(&standard, &NEVER_READ), none);

    let listed = run(Redaction::allow_list(["text", "key"]));
    for secrets in [&BY_VALUE[..], &BY_NAME, &BY_LIST, &NEVER_READ] {
        assert_eq!(leaked(&listed, secrets), none);
    }

    let control = run(Redaction::dangerous_off());
    let on_spans_only = [
        BY_VALUE[5],
        BY_VALUE[6],
        BY_VALUE[7],
        BY_VALUE[8],
        BY_NAME[2],
        BY_LIST[1],
    ];
    for secret in BY_VALUE.iter().chain(&BY_NAME).chain(&BY_LIST) {
        assert!(
            contains(&control.otlp, secret),
            "the control run exports {secret}"
        );
        let logged = contains(&control.logs, secret);
        assert_eq!(
            logged,
            !on_spans_only.contains(secret),
            "the control run logs {secret}"
        );
    }
    assert_eq!(leaked(&control, &NEVER_READ), none);
}
