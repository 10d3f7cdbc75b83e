//! Where spans go, and how.

use std::time::Duration;

use super::{EnvironmentError, endpoint::collector_url, reader::Reader, syntax};

/// Whether spans are to be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Export {
    On,
    Off,
}

/// What spans are sent over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    Grpc,
}

impl Protocol {
    /// Where the endpoint with this base takes traces. The methods of gRPC have their paths already.
    pub(crate) fn traces_url(self, base: &str) -> String {
        match self {
            Self::Http => format!("{}{TRACES_PATH}", base.trim_end_matches('/')),
            Self::Grpc => base.to_owned(),
        }
    }
}

/// Where spans are to be sent, and the variable that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) variable: &'static str,
    url: String,
    /// Whether the URL is that of a base, to which the path of traces is added.
    is_base: bool,
}

impl Endpoint {
    pub(crate) fn url_for(&self, protocol: Protocol) -> String {
        if self.is_base {
            protocol.traces_url(&self.url)
        } else {
            self.url.clone()
        }
    }
}

pub(super) const TRACES_EXPORTER: &str = "OTEL_TRACES_EXPORTER";
const TRACES_PATH: &str = "/v1/traces";

impl Reader<'_> {
    pub(super) fn refuse_compression(&mut self) {
        self.only(
            &[
                "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
                "OTEL_EXPORTER_OTLP_COMPRESSION",
            ],
            "`none`: spans leave uncompressed",
            &["none"],
        );
    }

    pub(super) fn protocol(&mut self) -> Option<Protocol> {
        let expected = if cfg!(feature = "otlp-grpc") {
            "`http/protobuf` or `grpc`"
        } else {
            "`http/protobuf`: `grpc` needs the feature `otlp-grpc` of portcullis-telemetry"
        };
        let variables = [
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            "OTEL_EXPORTER_OTLP_PROTOCOL",
        ];
        self.parsed(&variables, expected, |value| {
            match value.to_ascii_lowercase().as_str() {
                "http/protobuf" => Some(Protocol::Http),
                "grpc" if cfg!(feature = "otlp-grpc") => Some(Protocol::Grpc),
                _ => None,
            }
        })
    }

    pub(super) fn export(&mut self) -> Option<Export> {
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

    pub(super) fn endpoint(&mut self) -> Option<Endpoint> {
        let base = self.url("OTEL_EXPORTER_OTLP_ENDPOINT", true);
        let base = base.filter(|Endpoint { variable, url, .. }| {
            let is_whole = url.trim_end_matches('/').ends_with(TRACES_PATH);
            if is_whole {
                let expected = "the URL without `/v1/traces`, which is added to it; \
                                OTEL_EXPORTER_OTLP_TRACES_ENDPOINT takes a whole one";
                let variable = *variable;
                self.refuse(EnvironmentError { variable, expected });
            }
            !is_whole
        });
        // The narrower one counts; the wider one is told if it is wrong.
        self.url("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", false)
            .or(base)
    }

    fn url(&mut self, variable: &'static str, is_base: bool) -> Option<Endpoint> {
        let text = self.text(variable)?;
        match collector_url(&text) {
            Ok(url) => Some(Endpoint {
                variable,
                url,
                is_base,
            }),
            Err(expected) => {
                self.refuse(EnvironmentError { variable, expected });
                None
            }
        }
    }

    /// The queue knows no timeout of its own: the exporter gets the shorter.
    pub(super) fn timeout(&mut self) -> Option<Duration> {
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
}
