//! A question to Redis is a span of the request that asks it.

use super::fleet::{limit_reading, on_redis, read, reader};
use crate::{
    harness::{Data, Server, wait_for},
    programs::{Redis, collector},
};

/// A span as the collector prints it.
fn spans(output: &str) -> Vec<String> {
    let printed = output.split("\nSpan #").skip(1);
    let whole = printed.filter(|text| text.contains("Status code"));
    whole.map(str::to_owned).collect()
}

fn field<'a>(span: &'a str, name: &str) -> &'a str {
    let mut fields = span.lines().filter_map(|line| line.split_once(':'));
    let found = fields.find(|(label, _)| label.trim() == name);
    found.map_or("", |(_, value)| value.trim())
}

#[tokio::test]
async fn a_round_trip_is_a_client_span_below_its_request_and_holds_no_key() {
    let (collector, endpoint) = collector().await;
    let redis = Redis::start_with(Some("canary-password")).await;
    let data = Data::new();
    let mut command = on_redis(&data, &redis);
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
        .env("INGEST_TRACE_SAMPLE_RATIO", "1");
    let server = Server::start_command(&data, command);
    limit_reading(&server).await;
    let key = reader(&server, "canary-tenant").await;
    let answer = read(&server, &key).await;
    let trace = answer.headers()["x-trace-id"].to_str().unwrap().to_owned();
    let (of_request, root) = wait_for("the spans of the request", async || {
        let spans = spans(&collector.output());
        let of_trace = spans
            .into_iter()
            .filter(|span| field(span, "Trace ID") == trace);
        let of_trace: Vec<String> = of_trace.collect();
        let root = of_trace
            .iter()
            .find(|span| field(span, "Parent ID").is_empty())?
            .clone();
        Some((of_trace, root))
    })
    .await;
    let asked: Vec<_> = of_request
        .iter()
        .filter(|span| field(span, "Name") == "EVALSHA")
        .collect();
    // One for the address, one for the tenant.
    assert_eq!(asked.len(), 2, "{of_request:#?}");
    for span in asked {
        assert_ne!(field(span, "Parent ID"), "");
        for part in [
            "db.system.name",
            "db.operation.name",
            "server.address",
            "127.0.0.1",
            "server.port",
            &redis.port().to_string(),
        ] {
            assert!(span.contains(part), "{part} is not in {span}");
        }
        assert!(
            field(span, "Kind").to_lowercase().contains("client"),
            "{span}"
        );
        assert!(!span.contains("canary"), "{span}");
    }
    assert_eq!(field(&root, "Name"), "GET /v1/leads/{id}");
    assert!(server.terminate().success());
    assert!(!data.logs().contains("canary-password"), "{}", data.logs());
}
