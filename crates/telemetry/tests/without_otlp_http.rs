//! A build without the feature `otlp-http` refuses to start where spans are asked for: they would be
//! missed when they are needed. Run without features: with them, there is nothing to refuse.
#![cfg(not(feature = "otlp-http"))]

use portcullis_telemetry::{Builder, Environment, InitError, Otlp, Telemetry};
use tracing_subscriber::Registry;

fn builder(variables: &[(&'static str, &str)]) -> Builder {
    Telemetry::builder("svc").environment(Environment::from_pairs(variables.iter().copied()))
}

fn start(builder: Builder) -> Result<bool, InitError> {
    builder
        .layer::<Registry>()
        .map(|(_, guard)| guard.has_exporter())
}

#[test]
fn a_variable_that_asks_for_export_is_refused_with_the_feature_to_enable() {
    for (variable, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "http://collector:4318/v1/traces",
        ),
        ("OTEL_TRACES_EXPORTER", "otlp"),
    ] {
        let environment = Environment::from_pairs([(variable, value)]);
        let listed: Vec<_> = environment.problems().iter().map(|p| p.variable).collect();
        assert_eq!(listed, [variable]);

        let error = start(builder(&[(variable, value)])).unwrap_err();
        assert!(matches!(error, InitError::Environment(_)), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains(variable) && text.contains("`otlp-http`"),
            "{text}"
        );
    }
}

#[test]
fn code_that_asks_for_export_is_refused_with_the_feature_to_enable() {
    for otlp in [Otlp::Http, Otlp::HttpAt("http://collector:4318".to_owned())] {
        let error = start(builder(&[]).otlp(otlp)).unwrap_err();
        assert!(matches!(error, InitError::ExporterMissing), "{error:?}");
        assert!(error.to_string().contains("`otlp-http`"), "{error}");
    }
}

#[test]
fn where_nothing_asks_for_export_or_it_is_off_telemetry_starts() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
    for (builder, why) in [
        (builder(&[]), "nothing asks"),
        (builder(&[endpoint]).otlp(Otlp::Off), "off in code"),
        (
            builder(&[endpoint, ("OTEL_SDK_DISABLED", "true")]),
            "disabled",
        ),
        (
            builder(&[endpoint, ("OTEL_TRACES_EXPORTER", "none")]),
            "none",
        ),
    ] {
        assert!(!start(builder).unwrap(), "{why}");
    }
}
