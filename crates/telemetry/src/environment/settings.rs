//! What the `OTEL_*` variables ask for.

use std::{fmt, time::Duration};

use super::{Environment, EnvironmentError, endpoint::http_url, ignored, propagators, syntax};
use crate::sampling::{Head, ParentDecision, Ratio};

/// What the `OTEL_*` variables ask for, parsed; `None` where a variable is not set.
///
/// The names and their meaning are those of the OpenTelemetry specification ("Environment
/// Variable Specification" and "OpenTelemetry Protocol Exporter").
pub(crate) struct Settings {
    pub(crate) service_name: Option<String>,
    pub(crate) resource: Vec<(String, String)>,
    pub(crate) export: Option<Export>,
    pub(crate) endpoint: Option<Endpoint>,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Export {
    On,
    Off,
}

/// Where spans are to be sent, and the variable that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) variable: &'static str,
    pub(crate) url: String,
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
    pub(crate) attributes_per_event: u32,
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

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";
const TRACES_EXPORTER: &str = "OTEL_TRACES_EXPORTER";
const TRACES_PATH: &str = "/v1/traces";

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
        reader.refuse_what_is_not_supported();
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
            endpoint: reader.endpoint(),
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

struct Reader<'e> {
    environment: &'e Environment,
    problems: Vec<EnvironmentError>,
}

impl Reader<'_> {
    /// Notes the first problem of a variable.
    fn refuse(&mut self, problem: EnvironmentError) {
        let is_known = |known: &EnvironmentError| known.variable == problem.variable;
        if !self.problems.iter().any(is_known) {
            self.problems.push(problem);
        }
    }

    fn text(&mut self, variable: &'static str) -> Option<String> {
        self.parsed(&[variable], "text", |value| Some(value.to_owned()))
    }

    /// The first variable that is set, by a parser that answers `None` for what it refuses.
    fn parsed<T>(
        &mut self,
        variables: &[&'static str],
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        match self.environment.first(variables) {
            Ok(None) => None,
            Ok(Some((variable, value))) => {
                let parsed = parse(&value);
                if parsed.is_none() {
                    self.refuse(EnvironmentError { variable, expected });
                }
                parsed
            }
            Err(problem) => {
                self.refuse(problem);
                None
            }
        }
    }

    fn only(&mut self, variables: &[&'static str], expected: &'static str, allowed: &[&str]) {
        self.parsed(variables, expected, |value| {
            let value = value.to_ascii_lowercase();
            allowed.contains(&value.as_str()).then_some(())
        });
    }

    fn refuse_what_is_not_supported(&mut self) {
        self.only(
            &[
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
                "OTEL_EXPORTER_OTLP_PROTOCOL",
            ],
            "`http/protobuf`: spans leave over HTTP",
            &["http/protobuf"],
        );
        self.only(
            &[
                "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
                "OTEL_EXPORTER_OTLP_COMPRESSION",
            ],
            "`none`: spans leave uncompressed",
            &["none"],
        );
    }

    /// The specification's default has `tracecontext` in it.
    fn propagates(&mut self) -> bool {
        let (variable, expected) = (propagators::VARIABLE, propagators::EXPECTED);
        let reads = self.parsed(&[variable], expected, propagators::reads_trace_context);
        reads.unwrap_or(true)
    }

    fn export(&mut self) -> Option<Export> {
        let disabled = self.parsed(&["OTEL_SDK_DISABLED"], "`true` or `false`", syntax::boolean);
        let exporter = self.parsed(&[TRACES_EXPORTER], "`otlp` or `none`", |value| match value
            .to_ascii_lowercase()
            .as_str()
        {
            "otlp" => Some(Export::On),
            "none" => Some(Export::Off),
            _ => None,
        });
        if disabled == Some(true) {
            Some(Export::Off)
        } else {
            exporter
        }
    }

    fn endpoint(&mut self) -> Option<Endpoint> {
        let base = self.url("OTEL_EXPORTER_OTLP_ENDPOINT").and_then(|base| {
            let Endpoint { variable, url } = base;
            if url.trim_end_matches('/').ends_with(TRACES_PATH) {
                let expected = "the URL without `/v1/traces`, which is added to it; \
                                OTEL_EXPORTER_OTLP_TRACES_ENDPOINT takes a whole one";
                self.refuse(EnvironmentError { variable, expected });
                return None;
            }
            let url = traces_endpoint(&url);
            Some(Endpoint { variable, url })
        });
        // The narrower one counts; the wider one is told if it is wrong.
        self.url("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or(base)
    }

    fn url(&mut self, variable: &'static str) -> Option<Endpoint> {
        let text = self.text(variable)?;
        match http_url(&text) {
            Ok(url) => Some(Endpoint { variable, url }),
            Err(expected) => {
                self.refuse(EnvironmentError { variable, expected });
                None
            }
        }
    }

    /// The threaded batch processor knows no timeout of its own: the exporter gets the shorter.
    fn timeout(&mut self) -> Option<Duration> {
        let milliseconds = "a number of milliseconds from 1 to 3600000";
        let export = self.parsed(
            &[
                "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
                "OTEL_EXPORTER_OTLP_TIMEOUT",
            ],
            milliseconds,
            syntax::milliseconds,
        );
        let batch = self.parsed(
            &["OTEL_BSP_EXPORT_TIMEOUT"],
            milliseconds,
            syntax::milliseconds,
        );
        [export, batch].into_iter().flatten().min()
    }

    fn head(&mut self) -> Option<Head> {
        let ratio = self.parsed(&[SAMPLER_ARG], "a number from 0 to 1", syntax::ratio);
        let sampler = self.parsed(
            &[SAMPLER],
            "`always_on`, `always_off`, `traceidratio` or one of these after `parentbased_`",
            sampler,
        );
        let has_argument = self.environment.is_set(SAMPLER_ARG);
        let Some((parent, root)) = sampler else {
            if has_argument && !self.environment.is_set(SAMPLER) {
                let expected = "unset without OTEL_TRACES_SAMPLER: nothing else reads it";
                self.refuse_argument(expected);
            }
            return None;
        };
        let ratio = match (root, ratio) {
            (Root::AlwaysOn | Root::AlwaysOff, _) if has_argument => {
                self.refuse_argument("unset for this sampler, which takes no argument");
                return None;
            }
            (Root::AlwaysOn, _) => Ratio::ALL,
            (Root::AlwaysOff, _) => Ratio::NONE,
            (Root::Ratio, Some(ratio)) => ratio,
            (Root::Ratio, None) => {
                let expected = "set for this sampler, which would export every trace without it";
                self.refuse_argument(expected);
                return None;
            }
        };
        Some(Head { ratio, parent })
    }

    fn refuse_argument(&mut self, expected: &'static str) {
        let variable = SAMPLER_ARG;
        self.refuse(EnvironmentError { variable, expected });
    }

    fn batch(&mut self) -> Batch {
        let spans = "a number of spans from 1 to 100000";
        let batch = Batch {
            schedule_delay: self.parsed(
                &["OTEL_BSP_SCHEDULE_DELAY"],
                "a number of milliseconds from 1 to 3600000",
                syntax::milliseconds,
            ),
            queue_spans: self.parsed(&["OTEL_BSP_MAX_QUEUE_SIZE"], spans, syntax::spans),
            batch_spans: self.parsed(&["OTEL_BSP_MAX_EXPORT_BATCH_SIZE"], spans, syntax::spans),
        };
        if batch.batch_spans > batch.queue_spans && batch.queue_spans.is_some() {
            self.refuse(EnvironmentError {
                variable: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
                expected: "no more than OTEL_BSP_MAX_QUEUE_SIZE",
            });
        }
        batch
    }

    fn span_limits(&mut self) -> SpanLimits {
        let mut limit = |variable| {
            let number = "a number from 1 to 4294967295";
            self.parsed(&[variable], number, syntax::positive)
        };
        let of_any = limit("OTEL_ATTRIBUTE_COUNT_LIMIT").unwrap_or(128);
        // Links have no attributes here: that their number is one is all there is to see to.
        limit("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT");
        SpanLimits {
            attributes: limit("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT").unwrap_or(of_any),
            events: limit("OTEL_SPAN_EVENT_COUNT_LIMIT").unwrap_or(128),
            links: limit("OTEL_SPAN_LINK_COUNT_LIMIT").unwrap_or(128),
            attributes_per_event: limit("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT").unwrap_or(of_any),
        }
    }
}

#[derive(Clone, Copy)]
enum Root {
    AlwaysOn,
    AlwaysOff,
    Ratio,
}

fn sampler(name: &str) -> Option<(ParentDecision, Root)> {
    let name = name.to_ascii_lowercase();
    let (parent, root) = match name.strip_prefix("parentbased_") {
        Some(root) => (ParentDecision::Follow, root),
        None => (ParentDecision::Ignore, name.as_str()),
    };
    let root = match root {
        "always_on" => Root::AlwaysOn,
        "always_off" => Root::AlwaysOff,
        "traceidratio" => Root::Ratio,
        _ => return None,
    };
    Some((parent, root))
}

/// Where an OTLP endpoint takes traces.
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
