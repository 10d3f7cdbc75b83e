//! What a span says beside its name and its times, in as few pieces of memory as can be.

use std::{borrow::Cow, fmt, mem, ops::Range, time::Duration};

use opentelemetry::{
    Array, KeyValue, Value,
    trace::{Event, Link, SpanContext, SpanKind, Status},
};
use opentelemetry_sdk::trace::SpanData;
use tracing::Metadata;

use super::ended::Times;
use crate::environment::SpanLimits;

/// Attributes, events, links and status of a span. Most spans have none and hold nothing of this.
///
/// Values are kept as they come, texts behind each other in one string: they become OpenTelemetry's
/// values, each in memory of its own, when the span is exported.
#[derive(Debug, Default)]
pub(super) struct Details {
    name: Option<Text>,
    /// The name that took the place of the first.
    renamed: Option<Box<str>>,
    kind: Option<SpanKind>,
    status: Status,
    attributes: Vec<Attribute>,
    dropped_attributes: u32,
    events: Vec<EventRecord>,
    dropped_events: u32,
    /// Those of all events, one event's behind another's.
    event_attributes: Vec<Attribute>,
    links: Vec<Link>,
    dropped_links: u32,
    texts: String,
    /// The memory of the values that are in none of these.
    elsewhere: usize,
}

/// Where a text stands in [`Details::texts`].
pub(super) type Text = Range<usize>;

#[derive(Debug)]
pub(super) struct Attribute {
    pub(super) key: &'static str,
    pub(super) value: Recorded,
}

#[derive(Debug)]
pub(super) enum Recorded {
    Bool(bool),
    I64(i64),
    F64(f64),
    Text(Text),
    /// What is too rare for a form of its own.
    Whole(Box<KeyValue>),
}

#[derive(Debug)]
struct EventRecord {
    at: Duration,
    metadata: &'static Metadata<'static>,
    name: Option<Text>,
    attributes: Range<usize>,
}

/// An event whose fields are being recorded.
#[derive(Debug)]
pub(super) struct EventStart {
    pub(super) at: Duration,
    pub(super) metadata: &'static Metadata<'static>,
    pub(super) name: Option<Text>,
    first_attribute: usize,
    first_text: usize,
}

/// A text that is being written. One that panics meanwhile leaves nothing, as nothing would name it.
struct Growing<'a> {
    is_written: bool,
    texts: &'a mut String,
    start: usize,
}

impl Drop for Growing<'_> {
    fn drop(&mut self) {
        if !self.is_written {
            self.texts.truncate(self.start);
        }
    }
}

impl Details {
    /// Room for so many attributes at once.
    pub(super) fn with_attributes(attributes: usize) -> Self {
        Self {
            attributes: Vec::with_capacity(attributes),
            texts: String::with_capacity(attributes * 12),
            ..Self::default()
        }
    }

    pub(super) fn status(&self) -> &Status {
        &self.status
    }

    /// Takes the text that was kept last. A span that is named over and over holds its first name and
    /// its last.
    pub(super) fn set_name(&mut self, name: Text) {
        if self.name.is_none() {
            self.name = Some(name);
        } else {
            self.renamed = Some(self.read(&name).into());
            self.forget(&name);
        }
    }

    fn name(&self) -> Option<&str> {
        let first = self.name.as_ref().map(|name| self.read(name));
        self.renamed.as_deref().or(first)
    }

    pub(super) fn set_kind(&mut self, kind: Option<SpanKind>) {
        self.kind = kind;
    }

    /// As OpenTelemetry orders them: ok outweighs an error, and an error nothing.
    pub(super) fn raise_status(&mut self, status: Status) {
        if status > self.status {
            self.status = status;
        }
    }

    /// Keeps a text.
    pub(super) fn text(&mut self, arguments: fmt::Arguments<'_>) -> Text {
        let start = self.texts.len();
        let mut growing = Growing {
            is_written: false,
            texts: &mut self.texts,
            start,
        };
        // A Debug that fails of itself leaves what it had written.
        let _ = fmt::write(growing.texts, arguments);
        growing.is_written = true;
        drop(growing);
        start..self.texts.len()
    }

    pub(super) fn str(&mut self, text: &str) -> Text {
        let start = self.texts.len();
        self.texts.push_str(text);
        start..self.texts.len()
    }

    pub(super) fn read(&self, text: &Text) -> &str {
        &self.texts[text.clone()]
    }

    /// Gives up the text that was kept last.
    pub(super) fn forget(&mut self, text: &Text) {
        self.texts.truncate(text.start);
    }

    /// A text in it is the one that was kept last.
    pub(super) fn add_attribute(&mut self, attribute: Attribute, limits: &SpanLimits) {
        if self.attributes.len() < limits.attributes as usize {
            self.elsewhere += attribute.elsewhere();
            self.attributes.push(attribute);
        } else {
            self.dropped_attributes += 1;
            if let Recorded::Text(text) = &attribute.value {
                self.forget(text);
            }
        }
    }

    pub(super) fn add_link(&mut self, link: SpanContext, limits: &SpanLimits) {
        if self.links.len() < limits.links as usize {
            self.links.push(Link::new(link, Vec::new(), 0));
        } else {
            self.dropped_links += 1;
        }
    }

    pub(super) fn start_event(
        &self,
        at: Duration,
        metadata: &'static Metadata<'static>,
    ) -> EventStart {
        EventStart {
            at,
            metadata,
            name: None,
            first_attribute: self.event_attributes.len(),
            first_text: self.texts.len(),
        }
    }

    pub(super) fn add_event_attribute(&mut self, attribute: Attribute) {
        self.elsewhere += attribute.elsewhere();
        self.event_attributes.push(attribute);
    }

    pub(super) fn end_event(&mut self, event: &mut EventStart, limits: &SpanLimits) {
        if self.events.len() < limits.events as usize {
            self.events.push(EventRecord {
                at: event.at,
                metadata: event.metadata,
                name: event.name.take(),
                attributes: event.first_attribute..self.event_attributes.len(),
            });
        } else {
            let dropped = self.event_attributes.drain(event.first_attribute..);
            self.elsewhere -= dropped.map(|one| one.elsewhere()).sum::<usize>();
            self.texts.truncate(event.first_text);
            self.dropped_events += 1;
        }
    }

    /// Adds what was recorded meanwhile by others, on another thread or while a value was formatted.
    pub(super) fn absorb(&mut self, mut other: Self, limits: &SpanLimits) {
        if let Some(name) = other.name() {
            let name = self.str(name);
            self.set_name(name);
        }
        self.kind = other.kind.or_else(|| self.kind.take());
        self.raise_status(mem::take(&mut other.status));
        for attribute in other.attributes {
            let attribute = self.copied(attribute, &other.texts);
            self.add_attribute(attribute, limits);
        }
        self.dropped_attributes += other.dropped_attributes;
        let mut event_attributes = other.event_attributes.into_iter();
        for event in other.events {
            let mut start = self.start_event(event.at, event.metadata);
            start.name = event.name.map(|name| self.str(&other.texts[name]));
            for attribute in event_attributes.by_ref().take(event.attributes.len()) {
                let attribute = self.copied(attribute, &other.texts);
                self.add_event_attribute(attribute);
            }
            self.end_event(&mut start, limits);
        }
        self.dropped_events += other.dropped_events;
        for link in other.links {
            self.add_link(link.span_context, limits);
        }
        self.dropped_links += other.dropped_links;
    }

    /// The attribute of others, its text kept here.
    fn copied(&mut self, mut attribute: Attribute, texts: &str) -> Attribute {
        if let Recorded::Text(text) = &mut attribute.value {
            *text = self.str(&texts[text.clone()]);
        }
        attribute
    }

    /// An estimate of the memory it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.attributes.capacity() * size_of::<Attribute>()
            + self.event_attributes.capacity() * size_of::<Attribute>()
            + self.events.capacity() * size_of::<EventRecord>()
            + self.links.capacity() * size_of::<Link>()
            + self.texts.capacity()
            + self.renamed.as_ref().map_or(0, |name| name.len())
            + self.elsewhere
            + match &self.status {
                Status::Error { description } => description.len(),
                Status::Ok | Status::Unset => 0,
            }
    }

    pub(super) fn put_into(self, span: &mut SpanData, times: Times, limits: &SpanLimits) {
        if let Some(name) = self.name() {
            span.name = name.to_owned().into();
        }
        let texts = self.texts;
        span.span_kind = self.kind.unwrap_or(SpanKind::Internal);
        span.status = self.status;
        let attributes = self.attributes.into_iter();
        span.attributes = attributes
            .map(|attribute| attribute.into_key_value(&texts))
            .collect();
        span.dropped_attributes_count = self.dropped_attributes;
        let mut event_attributes = self.event_attributes.into_iter();
        for event in self.events {
            let count = event.attributes.len();
            let name: Cow<'static, str> = match event.name {
                Some(name) if !name.is_empty() => texts[name].to_owned().into(),
                _ => event.metadata.name().into(),
            };
            let mut attributes = Vec::with_capacity(count + 2);
            attributes.push(KeyValue::new("level", event.metadata.level().as_str()));
            attributes.push(KeyValue::new("target", event.metadata.target()));
            let own = event_attributes.by_ref().take(count);
            attributes.extend(own.map(|attribute| attribute.into_key_value(&texts)));
            let most = limits.attributes_per_event as usize;
            let dropped = attributes.len().saturating_sub(most);
            attributes.truncate(most);
            let dropped = u32::try_from(dropped).unwrap_or(u32::MAX);
            span.events.events.push(Event::new(
                name,
                times.within(event.at),
                attributes,
                dropped,
            ));
        }
        span.events.dropped_count = self.dropped_events;
        span.links.links = self.links;
        span.links.dropped_count = self.dropped_links;
    }
}

impl Attribute {
    /// The memory that is in none of a span's tables.
    fn elsewhere(&self) -> usize {
        let Recorded::Whole(attribute) = &self.value else {
            return 0;
        };
        let value = match &attribute.value {
            Value::String(text) => text.as_str().len(),
            Value::Array(Array::String(texts)) => {
                let texts = texts.iter();
                texts
                    .map(|text| size_of_val(text) + text.as_str().len())
                    .sum()
            }
            _ => 0,
        };
        size_of::<KeyValue>() + attribute.key.as_str().len() + value
    }

    fn into_key_value(self, texts: &str) -> KeyValue {
        let value: Value = match self.value {
            Recorded::Bool(value) => value.into(),
            Recorded::I64(value) => value.into(),
            Recorded::F64(value) => value.into(),
            Recorded::Text(text) => texts[text].to_owned().into(),
            Recorded::Whole(attribute) => return *attribute,
        };
        KeyValue::new(self.key, value)
    }
}

#[cfg(test)]
mod tests;
