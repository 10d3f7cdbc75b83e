//! A server whose traces are looked at.

use reqwest::{RequestBuilder, Response};

use crate::{
    collected::{Span, whole_trace},
    counters::api_keys_state,
    harness::{Data, Server, wait_for},
    programs::{Program, collector},
};

/// A server in production all of whose spans are collected.
pub(crate) struct Traced {
    pub(crate) server: Server,
    pub(crate) collector: Program,
}

impl Traced {
    pub(crate) async fn start_on(data: &Data) -> Self {
        let (collector, endpoint) = collector().await;
        let mut command = data.production();
        command
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
            .env("OTEL_BSP_SCHEDULE_DELAY", "100")
            .env("INGEST_TRACE_SAMPLE_RATIO", "1");
        let mut server = Server::start_command(data, command);
        server.use_token(&data.random_secrets()[0].1);
        wait_for("confirmed API keys", async || {
            (api_keys_state(&server).await == "up").then_some(())
        })
        .await;
        Self { server, collector }
    }

    /// The answer to a request, and the spans of its trace.
    pub(crate) async fn send(&self, request: RequestBuilder) -> (Response, Vec<Span>) {
        let answer = request.send().await.unwrap();
        let trace = answer.headers()["x-trace-id"].to_str().unwrap().to_owned();
        let spans = wait_for("the spans of a request", async || {
            whole_trace(&self.collector.output(), &trace)
        });
        (answer, spans.await)
    }
}

/// The one span of that name.
pub(crate) fn one<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let mut named = spans.iter().filter(|span| span.name == name);
    let found = named.next();
    assert_eq!(named.count(), 0, "{name} is there more than once");
    found.unwrap_or_else(|| panic!("{name} in {spans:#?}"))
}
