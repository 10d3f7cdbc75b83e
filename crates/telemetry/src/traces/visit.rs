//! Fields of spans and events, recorded under the names and in the forms that `tracing-opentelemetry`
//! gives them, which is what those who read traces of Rust services know.

use std::{error::Error, fmt};

use opentelemetry::{
    KeyValue, StringValue, Value,
    trace::{SpanKind, Status},
};
use tracing::field::{Field, Visit};

use super::details::{Attribute, Details, EventStart, Recorded, Text};
use crate::environment::SpanLimits;

const EXCEPTION: &str = "exception";
const EXCEPTION_MESSAGE: &str = "exception.message";
const EXCEPTION_CAUSES: &str = "exception.stacktrace";

/// Records fields as a span's attributes; `otel.…` fields are its name, kind and status.
pub(super) struct SpanFields<'a> {
    pub(super) details: &'a mut Details,
    pub(super) limits: &'a SpanLimits,
}

impl SpanFields<'_> {
    fn put(&mut self, key: &'static str, value: Recorded) {
        self.details
            .add_attribute(Attribute { key, value }, self.limits);
    }

    fn put_text(&mut self, field: &Field, text: Text) {
        match field.name() {
            "otel.name" => self.details.set_name(text),
            "otel.kind" => {
                let kind = kind(self.details.read(&text));
                self.details.set_kind(kind);
                self.details.forget(&text);
            }
            "otel.status_code" => {
                let status = status(self.details.read(&text));
                self.details.raise_status(status);
                self.details.forget(&text);
            }
            "otel.status_description" => {
                let status = Status::error(self.details.read(&text).to_owned());
                self.details.raise_status(status);
                self.details.forget(&text);
            }
            name => self.put(name, Recorded::Text(text)),
        }
    }
}

impl Visit for SpanFields<'_> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field.name(), Recorded::Bool(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field.name(), Recorded::F64(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field.name(), Recorded::I64(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let text = self.details.str(value);
        self.put_text(field, text);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = self.details.text(format_args!("{value:?}"));
        self.put_text(field, text);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        put_exception(self.details, self.limits, value);
        let [text, causes] = error_and_causes(field, value);
        self.put("", text);
        self.put("", causes);
    }
}

/// Records fields as an event's attributes; the message is its name.
pub(super) struct EventFields<'a> {
    pub(super) details: &'a mut Details,
    pub(super) event: EventStart,
    pub(super) limits: &'a SpanLimits,
}

/// The event ends with its fields, even those before one that panicked.
impl Drop for EventFields<'_> {
    fn drop(&mut self) {
        self.details.end_event(&mut self.event, self.limits);
    }
}

impl EventFields<'_> {
    fn put(&mut self, key: &'static str, value: Recorded) {
        self.details.add_event_attribute(Attribute { key, value });
    }

    fn put_value(&mut self, field: &Field, value: Recorded) {
        match field.name() {
            "message" => {
                let name = match value {
                    Recorded::Bool(value) => self.details.text(format_args!("{value}")),
                    Recorded::I64(value) => self.details.text(format_args!("{value}")),
                    Recorded::F64(value) => self.details.text(format_args!("{value}")),
                    Recorded::Text(text) => text,
                    Recorded::Whole(_) => return,
                };
                self.event.name = Some(name);
            }
            name => self.put(name, value),
        }
    }

    /// Whether the field is the error of an event that says nothing else.
    fn is_exception(&self, field: &Field) -> bool {
        let has_name = self
            .event
            .name
            .as_ref()
            .is_some_and(|name| !name.is_empty());
        field.name() == "error" && !has_name
    }

    fn put_exception(&mut self, value: &dyn fmt::Debug) {
        let text = self.details.text(format_args!("{value:?}"));
        let status = Status::error(self.details.read(&text).to_owned());
        self.details.raise_status(status);
        self.put(EXCEPTION_MESSAGE, Recorded::Text(text));
        self.event.name = Some(self.details.str(EXCEPTION));
    }
}

impl Visit for EventFields<'_> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put_value(field, Recorded::Bool(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put_value(field, Recorded::F64(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put_value(field, Recorded::I64(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if self.is_exception(field) {
            self.put_exception(&value);
        } else {
            let text = self.details.str(value);
            self.put_value(field, Recorded::Text(text));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.is_exception(field) {
            self.put_exception(value);
        } else {
            let text = self.details.text(format_args!("{value:?}"));
            self.put_value(field, Recorded::Text(text));
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        put_exception(self.details, self.limits, value);
        for (key, value) in exception(value) {
            self.put("", whole(key, value));
        }
        let [text, causes] = error_and_causes(field, value);
        self.put("", text);
        self.put("", causes);
    }
}

/// An error is the span's exception, whether the span or an event in it says so.
fn put_exception(details: &mut Details, limits: &SpanLimits, error: &(dyn Error + 'static)) {
    for (key, value) in exception(error) {
        let value = whole(key, value);
        details.add_attribute(Attribute { key: "", value }, limits);
    }
}

fn exception(error: &(dyn Error + 'static)) -> [(&'static str, Value); 2] {
    [
        (EXCEPTION_MESSAGE, error.to_string().into()),
        (EXCEPTION_CAUSES, causes(error)),
    ]
}

fn error_and_causes(field: &Field, error: &(dyn Error + 'static)) -> [Recorded; 2] {
    let name = field.name();
    let chain = KeyValue::new(format!("{name}.chain"), causes(error));
    [
        whole(name, error.to_string().into()),
        Recorded::Whole(Box::new(chain)),
    ]
}

fn whole(key: &'static str, value: Value) -> Recorded {
    Recorded::Whole(Box::new(KeyValue::new(key, value)))
}

fn causes(error: &(dyn Error + 'static)) -> Value {
    let mut causes: Vec<StringValue> = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        causes.push(error.to_string().into());
        cause = error.source();
    }
    Value::Array(causes.into())
}

fn kind(text: &str) -> Option<SpanKind> {
    let kinds = [
        ("server", SpanKind::Server),
        ("client", SpanKind::Client),
        ("producer", SpanKind::Producer),
        ("consumer", SpanKind::Consumer),
        ("internal", SpanKind::Internal),
    ];
    let mut kinds = kinds.into_iter();
    let found = kinds.find(|(name, _)| text.eq_ignore_ascii_case(name));
    found.map(|(_, kind)| kind)
}

fn status(text: &str) -> Status {
    if text.eq_ignore_ascii_case("ok") {
        Status::Ok
    } else if text.eq_ignore_ascii_case("error") {
        Status::error("")
    } else {
        Status::Unset
    }
}
