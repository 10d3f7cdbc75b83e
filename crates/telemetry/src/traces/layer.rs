//! The layer that makes tracing's spans those of traces.

use std::{
    mem,
    sync::{Arc, atomic::AtomicBool},
};

use opentelemetry::{
    Context as OtelContext,
    trace::{SpanContext, Status, TraceContextExt},
};
use thiserror::Error;
use tracing::{
    Dispatch, Event, Level, Span, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use super::{
    details::Details,
    entered::{self, Ids},
    open::OpenSpan,
    recorder::{Recorder, SpanStart},
    visit::{EventFields, SpanFields},
};
use crate::environment::SpanLimits;

/// Gives spans their ids, and records them.
pub(crate) struct SpanLayer {
    recorder: Arc<Recorder>,
    /// How to get at a span from outside, where the subscriber's type is not known.
    reach: Reach,
}

type Reach = fn(&Dispatch, &Id, &mut dyn FnMut(&mut OpenSpan));

/// Why a span was not given the parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParentError {
    /// The subscriber in force has no layer of this crate, or hides it under a `reload` layer.
    #[error("no layer of this crate is found in the subscriber: put it under no `reload` layer")]
    LayerNotFound,
    /// The span has been entered or has children, which are in its trace.
    #[error("the span has begun: give it a parent before it is entered")]
    Begun,
}

impl SpanLayer {
    pub(crate) fn new<S>(recorder: Arc<Recorder>) -> Self
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        Self {
            recorder,
            reach: reach::<S>,
        }
    }

    /// Where a span begins: its trace, its parent, and whether that is elsewhere. `None` where
    /// OpenTelemetry is told to keep quiet, as exporters do for their own requests.
    fn place<S>(&self, attributes: &Attributes<'_>, context: &Context<'_, S>) -> Option<SpanStart>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        if OtelContext::is_current_telemetry_suppressed() {
            return None;
        }
        let now = self.recorder.now();
        let explicit = attributes.parent().and_then(|id| context.span(id));
        if let Some(parent) = explicit {
            let extensions = parent.extensions();
            if let Some(parent) = extensions.get::<OpenSpan>() {
                parent.settle();
                let (trace, span) = (Arc::clone(&parent.trace), parent.id);
                drop(extensions);
                return Some(self.recorder.begin_inside(trace, span, now));
            }
        }
        if !attributes.is_contextual() {
            return Some(self.recorder.begin(None, now));
        }
        let inner = entered::innermost(|entered| {
            if entered.recorder == self.recorder.number {
                Ok((Arc::clone(&entered.trace), entered.span))
            } else {
                Err(entered.trace.span_context(entered.span))
            }
        });
        Some(match inner {
            Some(Ok((trace, span))) => self.recorder.begin_inside(trace, span, now),
            Some(Err(other)) => self.recorder.begin(Some(&other), now),
            None => {
                let outer = OtelContext::map_current(|context| {
                    let span = context.has_active_span().then(|| context.span());
                    span.map(|span| span.span_context().clone())
                });
                self.recorder
                    .begin(outer.filter(SpanContext::is_valid).as_ref(), now)
            }
        })
    }

    /// Whether the event cannot be exported, as far as that is known without asking the registry for its span:
    /// most lines of a service without an exporter or a tail.
    fn is_lost_on(&self, event: &Event<'_>) -> bool {
        let is_of_ignored = || {
            entered::innermost(|entered| {
                entered.recorder == self.recorder.number && entered.trace.is_ignored()
            })
        };
        !self.recorder.exports() || (event.is_contextual() && is_of_ignored() == Some(true))
    }

    /// Records something of a span. No lock is held meanwhile: a value's Debug may record something too.
    fn record<S>(&self, span: &SpanRef<'_, S>, record: impl FnOnce(&mut Details))
    where
        S: for<'lookup> LookupSpan<'lookup>,
    {
        let details = match span.extensions_mut().get_mut::<OpenSpan>() {
            Some(open) if self.recorder.exports() && open.is_recorded() => {
                open.details.take().unwrap_or_default()
            }
            _ => return,
        };
        let mut recording = Recording {
            span,
            details: Some(details),
            limits: self.recorder.limits(),
        };
        record(recording.details.get_or_insert_default());
    }
}

/// What a span has recorded, taken out of it to record more. It is given back whatever happens: a value's
/// Debug may panic.
struct Recording<'a, 's, S: for<'lookup> LookupSpan<'lookup>> {
    span: &'a SpanRef<'s, S>,
    details: Option<Box<Details>>,
    limits: &'a SpanLimits,
}

impl<S: for<'lookup> LookupSpan<'lookup>> Drop for Recording<'_, '_, S> {
    fn drop(&mut self) {
        if let Some(mut details) = self.details.take()
            && let Some(open) = self.span.extensions_mut().get_mut::<OpenSpan>()
        {
            if let Some(meanwhile) = open.details.take() {
                details.absorb(*meanwhile, self.limits);
            }
            open.details = Some(details);
        }
    }
}

/// A span that nobody has the id of yet. When one of its values panics nobody ever has, and it ends here.
struct Beginning<'a> {
    recorder: &'a Recorder,
    open: Option<OpenSpan>,
}

impl Drop for Beginning<'_> {
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            self.recorder.end(open);
        }
    }
}

impl<S> Layer<S> for SpanLayer
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(place) = self.place(attributes, &context) else {
            return;
        };
        let open = OpenSpan {
            trace: place.trace,
            id: self.recorder.new_span_id(),
            parent: place.parent,
            name: attributes.metadata().name(),
            started: place.now,
            is_root: place.is_root,
            is_settled: AtomicBool::new(false),
            details: None,
        };
        let mut beginning = Beginning {
            recorder: &self.recorder,
            open: Some(open),
        };
        let fields = attributes.fields().len();
        if let Some(open) = &mut beginning.open
            && fields > 0
            && self.recorder.exports()
            && open.is_recorded()
        {
            let details = Details::with_attributes(fields);
            attributes.record(&mut SpanFields {
                details: open.details.insert(Box::new(details)),
                limits: self.recorder.limits(),
            });
        }
        if let Some(span) = context.span(id)
            && let Some(open) = beginning.open.take()
        {
            span.extensions_mut().insert(open);
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(open) = span.extensions().get::<OpenSpan>()
        {
            open.settle();
            entered::push(id, self.recorder.number, &open.trace, open.id);
        }
    }

    fn on_exit(&self, id: &Id, _context: Context<'_, S>) {
        entered::pop(id);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        self.record(&span, |details| {
            values.record(&mut SpanFields {
                details,
                limits: self.recorder.limits(),
            });
        });
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        let (Some(span), Some(follows)) = (context.span(id), context.span(follows)) else {
            return;
        };
        let link = follows.extensions().get::<OpenSpan>().map(|followed| {
            followed.settle();
            followed.trace.span_context(followed.id)
        });
        if let Some(link) = link {
            self.record(&span, |details| {
                details.add_link(link, self.recorder.limits())
            });
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if self.is_lost_on(event) {
            return;
        }
        let Some(span) = context.event_span(event) else {
            return;
        };
        self.record(&span, |details| {
            let metadata = event.metadata();
            let start = details.start_event(self.recorder.now(), metadata);
            if *metadata.level() == Level::ERROR {
                details.raise_status(Status::error(""));
            }
            event.record(&mut EventFields {
                details,
                event: start,
                limits: self.recorder.limits(),
            });
        });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id);
        let open = span.and_then(|span| span.extensions_mut().remove::<OpenSpan>());
        if let Some(open) = open {
            self.recorder.end(open);
        }
    }
}

/// The ids of a span, for lines that name it as their parent.
pub(crate) fn ids_of<S>(span: &SpanRef<'_, S>) -> Option<Ids>
where
    S: for<'lookup> LookupSpan<'lookup>,
{
    let extensions = span.extensions();
    let open = extensions.get::<OpenSpan>()?;
    Some(Ids {
        trace: open.trace.id,
        span: open.id,
    })
}

/// Calls back with a span of the subscriber in force, if the layer has it.
fn reach<S>(dispatch: &Dispatch, id: &Id, act: &mut dyn FnMut(&mut OpenSpan))
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let subscriber = dispatch.downcast_ref::<S>();
    if let Some(span) = subscriber.and_then(|subscriber| subscriber.span(id))
        && let Some(open) = span.extensions_mut().get_mut::<OpenSpan>()
    {
        act(open);
    }
}

/// Makes the span continue the caller's trace.
pub(crate) fn set_parent(span: &Span, parent: &SpanContext) -> Result<(), ParentError> {
    let set = span.with_subscriber(|(id, dispatch)| {
        let layer = dispatch.downcast_ref::<SpanLayer>();
        let layer = layer.ok_or(ParentError::LayerNotFound)?;
        let mut result = Ok(());
        (layer.reach)(dispatch, id, &mut |open| {
            if *open.is_settled.get_mut() {
                result = Err(ParentError::Begun);
                return;
            }
            let place = layer.recorder.begin(Some(parent), open.started);
            let left = mem::replace(&mut open.trace, place.trace);
            if mem::replace(&mut open.is_root, true) {
                layer.recorder.leave_trace(&left);
            }
            open.parent = place.parent;
        });
        result
    });
    // A span that is disabled has no parent to lose.
    set.unwrap_or(Ok(()))
}

/// Makes the span name others.
pub(crate) fn add_links(span: &Span, links: &mut dyn Iterator<Item = SpanContext>) {
    span.with_subscriber(|(id, dispatch)| {
        if let Some(layer) = dispatch.downcast_ref::<SpanLayer>() {
            (layer.reach)(dispatch, id, &mut |open| {
                if layer.recorder.exports() && open.is_recorded() {
                    let details = open.details.get_or_insert_default();
                    for link in &mut *links {
                        details.add_link(link, layer.recorder.limits());
                    }
                }
            });
        }
    });
}

#[cfg(test)]
mod tests;
