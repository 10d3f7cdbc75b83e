//! What the `OTEL_*` variables ask for.

use std::{fmt, time::Duration};

use super::{
    Batch, Endpoint, Environment, EnvironmentError, Export, Protocol, SpanLimits, TlsFiles,
    export::TRACES_EXPORTER,
    ignored, propagators,
    reader::Reader,
    sampler::{SAMPLER, SAMPLER_ARG},
    syntax,
};
use crate::sampling::Head;

/// What the `OTEL_*` variables ask for, parsed; `None` where a variable is not set.
///
/// The names and their meaning are those of the OpenTelemetry specification ("Environment
/// Variable Specification" and "OpenTelemetry Protocol Exporter").
pub(crate) struct Settings {
    pub(crate) service_name: Option<String>,
    pub(crate) resource: Vec<(String, String)>,
    pub(crate) export: Option<Export>,
    pub(crate) protocol: Option<Protocol>,
    pub(crate) endpoint: Option<Endpoint>,
    #[cfg_attr(
        not(feature = "otlp-tls"),
        expect(dead_code, reason = "checked in any case; used by the exporter")
    )]
    pub(crate) tls: TlsFiles,
    #[cfg_attr(
        not(any(test, feature = "otlp-http")),
        expect(dead_code, reason = "checked in any case; used by the exporter")
    )]
    pub(crate) headers: Vec<(String, String)>,
    #[cfg_attr(
        not(any(test, feature = "otlp-http")),
        expect(dead_code, reason = "checked in any case; used by the exporter")
    )]
    pub(crate) timeout: Option<Duration>,
    pub(crate) head: Option<Head>,
    /// Whether the caller's trace is looked for.
    pub(crate) propagates: bool,
    pub(crate) batch: Batch,
    pub(crate) span_limits: SpanLimits,
}

/// Every variable that is read here.
pub(super) const HONOURED: [&str; 27] = [
    "OTEL_SDK_DISABLED",
    "OTEL_SERVICE_NAME",
    "OTEL_RESOURCE_ATTRIBUTES",
    TRACES_EXPORTER,
    SAMPLER,
    SAMPLER_ARG,
    propagators::VARIABLE,
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_COMPRESSION",
    "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
    "OTEL_BSP_EXPORT_TIMEOUT",
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_EVENT_COUNT_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT",
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
];

impl Settings {
    /// What is asked for, or the first problem.
    pub(crate) fn read(environment: &Environment) -> Result<Self, EnvironmentError> {
        let (settings, problems) = Self::read_all(environment);
        match problems.into_iter().next() {
            None => Ok(settings),
            Some(problem) => Err(problem),
        }
    }

    /// What is asked for, as if variables with a problem were not set, and every problem.
    pub(super) fn read_all(environment: &Environment) -> (Self, Vec<EnvironmentError>) {
        let mut reader = Reader {
            environment,
            problems: Vec::new(),
        };
        reader.refuse_compression();
        ignored::refused(environment)
            .into_iter()
            .for_each(|problem| reader.refuse(problem));
        let mut resource = reader
            .parsed(
                &["OTEL_RESOURCE_ATTRIBUTES"],
                "key=value pairs with commas",
                syntax::pairs,
            )
            .unwrap_or_default();
        let named_in_resource = resource.iter().position(|(key, _)| key == "service.name");
        let named_in_resource = named_in_resource.map(|index| resource.swap_remove(index).1);
        let settings = Self {
            service_name: reader.text("OTEL_SERVICE_NAME").or(named_in_resource),
            resource,
            export: reader.export(),
            protocol: reader.protocol(),
            endpoint: reader.endpoint(),
            tls: reader.tls_files(),
            headers: reader
                .parsed(
                    &[
                        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
                        "OTEL_EXPORTER_OTLP_HEADERS",
                    ],
                    "key=value pairs with commas that are valid HTTP headers",
                    syntax::headers,
                )
                .unwrap_or_default(),
            timeout: reader.timeout(),
            head: reader.head(),
            propagates: reader.propagates(),
            batch: reader.batch(),
            span_limits: reader.span_limits(),
        };
        (settings, reader.problems)
    }

    /// The problem of a variable that asks for export over OTLP when this build cannot export.
    pub(crate) fn exporter_missing(&self) -> Option<EnvironmentError> {
        let variable = match (self.export, &self.endpoint) {
            _ if cfg!(feature = "otlp-http") => return None,
            (Some(Export::Off), _) | (None, None) => return None,
            (_, Some(endpoint)) => endpoint.variable,
            (Some(Export::On), None) => TRACES_EXPORTER,
        };
        Some(EnvironmentError {
            variable,
            expected: "unset, or the program built with the feature `otlp-http` of \
                       portcullis-telemetry",
        })
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("service_name", &self.service_name)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
