//! A server whose traces are looked at.

use std::process::Command;

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
        export_to(&mut command, &endpoint);
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
        let spans = spans_of(&answer, &self.collector).await;
        (answer, spans)
    }
}

/// Every span leaves for that collector soon after its end.
pub(crate) fn export_to(command: &mut Command, endpoint: &str) {
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
        .env("INGEST_TRACE_SAMPLE_RATIO", "1");
}

/// The spans of the request that was answered so.
pub(crate) async fn spans_of(answer: &Response, collector: &Program) -> Vec<Span> {
    let trace = answer.headers()["x-trace-id"].to_str().unwrap();
    wait_for("the spans of a request", async || {
        whole_trace(&collector.output(), trace)
    })
    .await
}

/// The one span of that name.
pub(crate) fn one<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let mut named = spans.iter().filter(|span| span.name == name);
    let found = named.next();
    assert_eq!(named.count(), 0, "{name} is there more than once");
    found.unwrap_or_else(|| panic!("{name} in {spans:#?}"))
}
