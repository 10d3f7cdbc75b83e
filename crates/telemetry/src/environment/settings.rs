use std::fmt;
use std::time::Duration;

use super::syntax;
use super::{Environment, EnvironmentError};
use crate::sampling::{Head, ParentDecision, Ratio};

/// What the `OTEL_*` variables ask for, parsed; `None` where a variable is not set.
///
/// The names and their meaning are those of the OpenTelemetry specification ("Environment
/// Variable Specification" and "OpenTelemetry Protocol Exporter").
pub(crate) struct Settings {
    pub(crate) service_name: Option<String>,
    pub(crate) resource: Vec<(String, String)>,
    pub(crate) export: Option<Export>,
    pub(crate) endpoint: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) head: Option<Head>,
    pub(crate) batch: Batch,
    pub(crate) span_limits: SpanLimits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Export {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Batch {
    pub(crate) schedule_delay: Option<Duration>,
    pub(crate) queue_spans: Option<u32>,
    pub(crate) batch_spans: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct SpanLimits {
    pub(crate) attributes: u32,
    pub(crate) events: u32,
    pub(crate) links: u32,
}

const TRACES_PATH: &str = "/v1/traces";

impl Settings {
    pub(crate) fn read(environment: &Environment) -> Result<Self, EnvironmentError> {
        let environment = Reader(environment);
        environment.refuse_what_is_not_supported()?;
        let mut resource = environment
            .parsed(
                &["OTEL_RESOURCE_ATTRIBUTES"],
                "key=value pairs with commas",
                syntax::pairs,
            )?
            .unwrap_or_default();
        let named_in_resource = resource.iter().position(|(key, _)| key == "service.name");
        let named_in_resource = named_in_resource.map(|index| resource.swap_remove(index).1);
        Ok(Self {
            service_name: environment.text("OTEL_SERVICE_NAME")?.or(named_in_resource),
            resource,
            export: environment.export()?,
            endpoint: environment.endpoint()?,
            headers: environment
                .parsed(
                    &[
                        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
                        "OTEL_EXPORTER_OTLP_HEADERS",
                    ],
                    "key=value pairs with commas that are valid HTTP headers",
                    syntax::headers,
                )?
                .unwrap_or_default(),
            timeout: environment.timeout()?,
            head: environment.head()?,
            batch: environment.batch()?,
            span_limits: environment.span_limits()?,
        })
    }
}

struct Reader<'e>(&'e Environment);

impl Reader<'_> {
    fn text(&self, variable: &'static str) -> Result<Option<String>, EnvironmentError> {
        Ok(self.0.first(&[variable])?.map(|(_, value)| value))
    }

    /// The first variable that is set, by a parser that answers `None` for what it refuses.
    fn parsed<T>(
        &self,
        variables: &[&'static str],
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, EnvironmentError> {
        self.0
            .first(variables)?
            .map(|(variable, value)| parse(&value).ok_or(EnvironmentError { variable, expected }))
            .transpose()
    }

    fn only(
        &self,
        variables: &[&'static str],
        expected: &'static str,
        allowed: &[&str],
    ) -> Result<(), EnvironmentError> {
        self.parsed(variables, expected, |value| {
            allowed.contains(&value).then_some(())
        })?;
        Ok(())
    }

    fn refuse_what_is_not_supported(&self) -> Result<(), EnvironmentError> {
        self.only(
            &[
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
                "OTEL_EXPORTER_OTLP_PROTOCOL",
            ],
            "`http/protobuf`: spans leave over HTTP",
            &["http/protobuf"],
        )?;
        self.only(
            &[
                "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
                "OTEL_EXPORTER_OTLP_COMPRESSION",
            ],
            "`none`: spans leave uncompressed",
            &["none"],
        )?;
        self.only(
            &["OTEL_PROPAGATORS"],
            "`tracecontext`: baggage would carry what nobody has redacted",
            &["tracecontext"],
        )
    }

    fn export(&self) -> Result<Option<Export>, EnvironmentError> {
        let disabled = self.parsed(&["OTEL_SDK_DISABLED"], "`true` or `false`", syntax::boolean)?;
        let exporter =
            self.parsed(
                &["OTEL_TRACES_EXPORTER"],
                "`otlp` or `none`",
                |value| match value {
                    "otlp" => Some(Export::On),
                    "none" => Some(Export::Off),
                    _ => None,
                },
            )?;
        Ok(if disabled == Some(true) {
            Some(Export::Off)
        } else {
            exporter
        })
    }

    fn endpoint(&self) -> Result<Option<String>, EnvironmentError> {
        let expected = "an `http://` URL: let a collector on this host speak TLS to the outside";
        let traces = self.parsed(
            &["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"],
            expected,
            syntax::http_url,
        )?;
        if traces.is_some() {
            return Ok(traces);
        }
        let base = self.parsed(&["OTEL_EXPORTER_OTLP_ENDPOINT"], expected, syntax::http_url)?;
        Ok(base.as_deref().map(traces_endpoint))
    }

    /// The threaded batch processor knows no timeout of its own: the exporter gets the shorter.
    fn timeout(&self) -> Result<Option<Duration>, EnvironmentError> {
        let milliseconds = "a positive number of milliseconds";
        let export = self.parsed(
            &[
                "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
                "OTEL_EXPORTER_OTLP_TIMEOUT",
            ],
            milliseconds,
            syntax::milliseconds,
        )?;
        let batch = self.parsed(
            &["OTEL_BSP_EXPORT_TIMEOUT"],
            milliseconds,
            syntax::milliseconds,
        )?;
        Ok([export, batch].into_iter().flatten().min())
    }

    fn head(&self) -> Result<Option<Head>, EnvironmentError> {
        let ratio = self.parsed(
            &["OTEL_TRACES_SAMPLER_ARG"],
            "a number from 0 to 1",
            syntax::ratio,
        )?;
        let Some((parent, root)) = self.parsed(
            &["OTEL_TRACES_SAMPLER"],
            "`always_on`, `always_off`, `traceidratio` or one of these after `parentbased_`",
            sampler,
        )?
        else {
            return Ok(None);
        };
        let ratio = match (root, ratio) {
            (Root::AlwaysOn, _) => Ratio::ALL,
            (Root::AlwaysOff, _) => Ratio::NONE,
            (Root::Ratio, Some(ratio)) => ratio,
            (Root::Ratio, None) => {
                return Err(EnvironmentError {
                    variable: "OTEL_TRACES_SAMPLER_ARG",
                    expected: "set for this sampler, which would export every trace without it",
                });
            }
        };
        Ok(Some(Head { ratio, parent }))
    }

    fn batch(&self) -> Result<Batch, EnvironmentError> {
        let spans = "a positive number of spans";
        let batch = Batch {
            schedule_delay: self.parsed(
                &["OTEL_BSP_SCHEDULE_DELAY"],
                "a positive number of milliseconds",
                syntax::milliseconds,
            )?,
            queue_spans: self.parsed(&["OTEL_BSP_MAX_QUEUE_SIZE"], spans, syntax::positive)?,
            batch_spans: self.parsed(
                &["OTEL_BSP_MAX_EXPORT_BATCH_SIZE"],
                spans,
                syntax::positive,
            )?,
        };
        if batch.batch_spans > batch.queue_spans && batch.queue_spans.is_some() {
            return Err(EnvironmentError {
                variable: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
                expected: "no more than OTEL_BSP_MAX_QUEUE_SIZE",
            });
        }
        Ok(batch)
    }

    fn span_limits(&self) -> Result<SpanLimits, EnvironmentError> {
        let limit = |variable| {
            let limit = self.parsed(&[variable], "a positive number", syntax::positive)?;
            Ok(limit.unwrap_or(128))
        };
        Ok(SpanLimits {
            attributes: limit("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT")?,
            events: limit("OTEL_SPAN_EVENT_COUNT_LIMIT")?,
            links: limit("OTEL_SPAN_LINK_COUNT_LIMIT")?,
        })
    }
}

#[derive(Clone, Copy)]
enum Root {
    AlwaysOn,
    AlwaysOff,
    Ratio,
}

fn sampler(name: &str) -> Option<(ParentDecision, Root)> {
    let (parent, root) = match name.strip_prefix("parentbased_") {
        Some(root) => (ParentDecision::Follow, root),
        None => (ParentDecision::Ignore, name),
    };
    let root = match root {
        "always_on" => Root::AlwaysOn,
        "always_off" => Root::AlwaysOff,
        "traceidratio" => Root::Ratio,
        _ => return None,
    };
    Some((parent, root))
}

/// The place for traces below an OTLP endpoint.
pub(crate) fn traces_endpoint(base: &str) -> String {
    format!("{}{TRACES_PATH}", base.trim_end_matches('/'))
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
