//! Each variable is honoured or refused by name.

use super::*;
use crate::sampling::{ParentDecision, Ratio};

fn url(settings: &Settings) -> Option<String> {
    let endpoint = settings.endpoint.as_ref();
    endpoint.map(|endpoint| endpoint.url_for(Protocol::Http))
}

fn read(pairs: &[(&'static str, &str)]) -> Result<Settings, EnvironmentError> {
    Settings::read(&Environment::from_pairs(pairs.iter().copied()))
}

#[test]
fn nothing_set_asks_for_nothing() {
    let settings = Settings::read(&Environment::empty()).unwrap();
    assert!(settings.service_name.is_none() && settings.endpoint.is_none());
    assert!(settings.export.is_none() && settings.head.is_none() && settings.headers.is_empty());
    assert_eq!(settings.span_limits.attributes, 128);
}

#[test]
fn what_is_set_is_honoured() {
    let settings = read(&[
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.name=other, deployment.environment=a%20b,k=",
        ),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/"),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20x, x-scope=1",
        ),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "9000"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "3000"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "64"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "64"),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "7"),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "9"),
        ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "3"),
        ("OTEL_PROPAGATORS", "tracecontext,baggage"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "HTTP/protobuf"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "none"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "TRUE"),
    ])
    .unwrap();
    assert_eq!(settings.service_name.as_deref(), Some("other"));
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(settings.resource.len(), 2);
    assert!(
        settings
            .resource
            .contains(&pair("deployment.environment", "a b"))
    );
    assert_eq!(
        url(&settings).as_deref(),
        Some("http://collector:4318/v1/traces")
    );
    assert_eq!(
        settings.headers,
        [pair("authorization", "Bearer x"), pair("x-scope", "1")]
    );
    assert_eq!(settings.timeout, Some(Duration::from_millis(3000)));
    assert_eq!(
        settings.batch.schedule_delay,
        Some(Duration::from_millis(100))
    );
    assert_eq!(
        (settings.batch.queue_spans, settings.batch.batch_spans),
        (Some(64), Some(64))
    );
    let limits = settings.span_limits;
    assert_eq!((limits.events, limits.links), (7, 128));
    assert_eq!((limits.attributes, limits.attributes_per_event), (9, 9));
    assert!(settings.propagates);
}

#[test]
fn the_narrower_variable_outweighs_the_wider() {
    let settings = read(&[
        ("OTEL_SERVICE_NAME", "named"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://wide:4318"),
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "http://narrow:4318/as/it/is",
        ),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "10"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "20"),
    ])
    .unwrap();
    assert_eq!(settings.service_name.as_deref(), Some("named"));
    assert_eq!(
        url(&settings).as_deref(),
        Some("http://narrow:4318/as/it/is")
    );
    assert_eq!(settings.timeout, Some(Duration::from_millis(10)));
}

#[test]
fn samplers_are_those_of_the_specification() {
    use ParentDecision::{Follow, Ignore};
    for (name, arg, ratio, parent) in [
        ("always_on", "", Ratio::ALL, Ignore),
        ("always_off", "", Ratio::NONE, Ignore),
        ("traceidratio", "0.25", Ratio::new(0.25).unwrap(), Ignore),
        ("parentbased_always_on", "", Ratio::ALL, Follow),
        ("parentbased_always_off", "", Ratio::NONE, Follow),
        (
            "parentbased_traceidratio",
            "0.01",
            Ratio::ONE_PERCENT,
            Follow,
        ),
    ] {
        let settings = read(&[
            ("OTEL_TRACES_SAMPLER", name),
            ("OTEL_TRACES_SAMPLER_ARG", arg),
        ])
        .unwrap();
        assert_eq!(settings.head, Some(Head { ratio, parent }), "{name}");
    }
}

#[test]
fn the_switches_turn_export_off() {
    assert_eq!(
        read(&[("OTEL_SDK_DISABLED", "TRUE")]).unwrap().export,
        Some(Export::Off)
    );
    assert_eq!(
        read(&[("OTEL_TRACES_EXPORTER", "none")]).unwrap().export,
        Some(Export::Off)
    );
    let both = [
        ("OTEL_SDK_DISABLED", "false"),
        ("OTEL_TRACES_EXPORTER", "otlp"),
    ];
    assert_eq!(read(&both).unwrap().export, Some(Export::On));
}

#[test]
fn what_cannot_be_honoured_is_refused_by_name() {
    for (variable, value) in [
        ("OTEL_SDK_DISABLED", "yes"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
        ("OTEL_TRACES_SAMPLER_ARG", "10%"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.1"),
        ("OTEL_TRACES_SAMPLER_ARG", "-0.1"),
        ("OTEL_TRACES_SAMPLER_ARG", "NaN"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://collector:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http:///v1/traces"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:99999"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://collector:4318/v1/traces/",
        ),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/canary.pem"),
        ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "/canary.pem"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "false"),
        ("OTEL_CONFIG_FILE", "/canary.yaml"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "no-value"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "bad name=1"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "name=a%0Ab"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=%zz"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=%4"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ("OTEL_BSP_SCHEDULE_DELAY", "-1"),
        ("OTEL_BSP_SCHEDULE_DELAY", "3600001"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "1_000"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "+5"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0x10"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "\u{0665}\u{0665}"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100001"),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "many"),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "4294967296"),
        ("OTEL_TRACES_SAMPLER_ARG", "-0"),
        ("OTEL_TRACES_SAMPLER_ARG", "inf"),
        ("OTEL_TRACES_SAMPLER_ARG", ".5"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.5"),
        ("OTEL_PROPAGATORS", "b3,baggage"),
        ("OTEL_PROPAGATORS", "none,tracecontext"),
    ] {
        let error = read(&[(variable, value)]).unwrap_err();
        assert_eq!(error.variable, variable, "{value}");
        // A digit or two stand in the bounds as well.
        assert!(
            value.len() < 3 || !error.to_string().contains(value),
            "the value is not repeated: {error}"
        );
    }
}

#[test]
fn grpc_is_taken_where_it_was_built_and_adds_no_path() {
    let pairs = [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "GRPC"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"),
    ];
    match (read(&pairs), cfg!(feature = "otlp-grpc")) {
        (Ok(settings), true) => {
            assert_eq!(settings.protocol, Some(Protocol::Grpc));
            let endpoint = settings.endpoint.unwrap();
            assert_eq!(endpoint.url_for(Protocol::Grpc), "http://collector:4317");
        }
        (Err(error), false) => assert_eq!(error.variable, "OTEL_EXPORTER_OTLP_PROTOCOL"),
        (other, _) => panic!("{other:?}"),
    }
}

#[test]
fn a_ratio_sampler_without_its_ratio_is_refused() {
    let error = read(&[("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")]).unwrap_err();
    assert_eq!(error.variable, "OTEL_TRACES_SAMPLER_ARG");
}

#[test]
fn an_argument_that_no_sampler_takes_is_refused() {
    for sampler in ["always_on", "parentbased_always_off"] {
        let pairs = [
            ("OTEL_TRACES_SAMPLER", sampler),
            ("OTEL_TRACES_SAMPLER_ARG", "0.5"),
        ];
        let error = read(&pairs).unwrap_err();
        assert_eq!(error.variable, "OTEL_TRACES_SAMPLER_ARG", "{sampler}");
    }
}

#[test]
fn an_endpoint_that_another_outweighs_is_told_if_it_is_wrong() {
    let pairs = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://narrow:4318/"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://wide:0"),
    ];
    let error = read(&pairs).unwrap_err();
    assert_eq!(error.variable, "OTEL_EXPORTER_OTLP_ENDPOINT");
}

/// "OpenTelemetry Environment Variable Specification" and "OpenTelemetry Protocol Exporter",
/// version 1.50: what is not honoured is refused or told.
#[test]
fn every_variable_of_the_specification_is_honoured_refused_or_told() {
    let mut names: Vec<_> = Environment::variables().collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "a name stands twice");
    for name in names {
        let environment = Environment::from_pairs([(name, "\u{1}")]);
        let told = environment.warnings().iter().any(|it| it.variable == name);
        let refused = environment.problems().iter().any(|it| it.variable == name);
        let takes_any_text = ["OTEL_SERVICE_NAME"].contains(&name);
        assert!(told != refused || takes_any_text, "{name}");
    }
    for (variable, value) in [
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_LOGS_EXPORTER", "None"),
        ("OTEL_LOG_LEVEL", ""),
        ("OTEL_EXPORTER_OTLP_INSECURE", "true"),
    ] {
        let environment = Environment::from_pairs([(variable, value)]);
        assert_eq!(environment.warnings(), [], "{variable}");
        assert_eq!(environment.problems(), [], "{variable}");
    }
}

#[test]
fn a_batch_larger_than_its_queue_is_refused() {
    let pairs = [
        ("OTEL_BSP_MAX_QUEUE_SIZE", "10"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "11"),
    ];
    assert_eq!(
        read(&pairs).unwrap_err().variable,
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"
    );
}

#[test]
fn empty_is_unset() {
    let settings = read(&[("OTEL_TRACES_SAMPLER", ""), ("OTEL_SERVICE_NAME", " ")]).unwrap();
    assert!(settings.head.is_none() && settings.service_name.is_none());
}

#[cfg(unix)]
#[test]
fn text_that_is_not_utf8_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let value = std::ffi::OsString::from_vec(vec![0xff]);
    let environment = Environment::from_pairs([("OTEL_SERVICE_NAME", value)]);
    assert_eq!(
        Settings::read(&environment).unwrap_err().variable,
        "OTEL_SERVICE_NAME"
    );
}

#[test]
fn every_variable_with_a_problem_is_listed_once() {
    let environment = Environment::from_pairs([
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "none"),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "0"),
        ("OTEL_SERVICE_NAME", "fine"),
    ]);
    let problems = environment.problems();
    let variables: Vec<_> = problems.iter().map(|problem| problem.variable).collect();
    assert_eq!(
        variables,
        [
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "OTEL_TRACES_SAMPLER_ARG",
            "OTEL_BSP_MAX_QUEUE_SIZE",
            "OTEL_SPAN_LINK_COUNT_LIMIT",
        ]
    );
    assert_eq!(
        Settings::read(&environment).err().as_ref(),
        problems.first()
    );
    assert!(Environment::empty().problems().is_empty());
}
