//! The leaf of an event, version 1. Its bytes are fixed: a leaf that is written otherwise has another hash.

use super::{Commitment, Event, EventId, Id, LeafNumbers, Timestamp};

const LONGEST_NUMBERS: LeafNumbers = LeafNumbers {
    in_tree: u64::MAX,
    in_tenant: u64::MAX,
};

impl Event {
    /// Appends the leaf for this place in the log to `out`. No more is allocated than `out` lacks, and that at once.
    pub fn write_leaf(&self, numbers: LeafNumbers, out: &mut Vec<u8>) {
        out.reserve(self.longest);
        self.write_to(numbers, out);
    }

    /// The length of the leaf with the longest numbers.
    pub(super) fn longest_leaf(&self) -> usize {
        let mut length = Length(0);
        self.write_to(LONGEST_NUMBERS, &mut length);
        length.0
    }

    fn write_to(&self, numbers: LeafNumbers, out: &mut impl Sink) {
        let (draft, stamp) = (&self.draft, &self.stamp);
        out.text("{\"v\":1,\"n\":");
        out.number(numbers.in_tree);
        out.text(",\"tn\":");
        out.number(numbers.in_tenant);
        out.text(",\"id\":\"");
        out.event_id(&stamp.id);
        out.text("\",\"time\":\"");
        out.time(stamp.time);
        out.texts(["\",\"tenant\":\"", draft.tenant.as_str()]);
        out.texts(["\",\"action\":\"", draft.action.as_str()]);
        out.texts(["\",\"activity\":\"", draft.activity.as_str()]);
        out.texts(["\",\"actor\":{\"type\":\"", draft.actor.kind().as_str()]);
        out.texts(["\",\"id\":\"", draft.actor.id().as_str()]);
        out.optional_id("\",\"grant\":\"", draft.actor.grant());
        out.text("\"},\"resources\":[");
        out.list(&draft.resources, |out, resource| {
            out.texts(["{\"type\":\"", resource.kind().as_str()]);
            out.texts(["\",\"id\":\"", resource.id().as_str(), "\"}"]);
        });
        out.text("],\"count\":");
        out.number(draft.count);
        out.text(",\"fields\":[");
        out.list(&draft.fields, |out, field| {
            out.texts(["\"", field.as_str(), "\""])
        });
        out.text("]");
        if let Some(reason) = &draft.reason {
            out.texts([",\"reason\":{\"code\":\"", reason.code().as_str()]);
            out.optional_id("\",\"ref\":\"", reason.reference());
            out.text("\"}");
        }
        out.texts([",\"outcome\":\"", draft.outcome.as_str()]);
        if let Some(detail) = draft.detail {
            out.texts(["\",\"detail\":\"", detail.as_str()]);
        }
        out.texts(["\",\"delivery\":\"", stamp.delivery.as_str(), "\""]);
        if !draft.refs.is_empty() {
            out.text(",\"refs\":[");
            out.list(&draft.refs, |out, id| {
                out.text("\"");
                out.event_id(id);
                out.text("\"");
            });
            out.text("]");
        }
        if let Some(trace) = draft.trace {
            out.text(",\"trace\":\"");
            out.filled(trace.digits(), |out| trace.write(out));
            out.text("\"");
        }
        if let Some(span) = draft.span {
            out.text(",\"span\":\"");
            out.filled(span.digits(), |out| span.write(out));
            out.text("\"");
        }
        out.texts([",\"node\":\"", stamp.node.as_str(), "\""]);
        if let Some(commitment) = &draft.personal {
            out.text(",\"personal\":\"");
            out.filled(Commitment::TEXT_BYTES, |out| commitment.write(out));
            out.text("\"");
        }
        out.text("}");
    }
}

/// What a leaf is written to: bytes, or their number.
trait Sink: Sized {
    fn text(&mut self, text: &str);

    /// What `write` appends, which are `length` bytes.
    fn filled(&mut self, length: usize, write: impl FnOnce(&mut Vec<u8>));

    fn texts<const N: usize>(&mut self, texts: [&str; N]) {
        texts.into_iter().for_each(|text| self.text(text));
    }

    fn optional_id(&mut self, name: &str, id: Option<&Id>) {
        if let Some(id) = id {
            self.texts([name, id.as_str()]);
        }
    }

    fn list<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        for (index, item) in items.iter().enumerate() {
            if index != 0 {
                self.text(",");
            }
            write(self, item);
        }
    }

    fn event_id(&mut self, id: &EventId) {
        self.filled(EventId::TEXT_BYTES, |out| id.write(out));
    }

    fn time(&mut self, time: Timestamp) {
        self.filled(Timestamp::TEXT_BYTES, |out| {
            out.extend_from_slice(&time.text())
        });
    }

    fn number(&mut self, number: u64) {
        let digits = number.checked_ilog10().map_or(1, |log| log as usize + 1);
        self.filled(digits, |out| {
            let mut divisor = number.checked_ilog10().map_or(1, |log| 10_u64.pow(log));
            while divisor != 0 {
                out.push(b'0' + u8::try_from(number / divisor % 10).unwrap_or(0));
                divisor /= 10;
            }
        });
    }
}

impl Sink for Vec<u8> {
    fn text(&mut self, text: &str) {
        self.extend_from_slice(text.as_bytes());
    }

    fn filled(&mut self, _: usize, write: impl FnOnce(&mut Self)) {
        write(self);
    }
}

struct Length(usize);

impl Sink for Length {
    fn text(&mut self, text: &str) {
        self.0 += text.len();
    }

    fn filled(&mut self, length: usize, _: impl FnOnce(&mut Vec<u8>)) {
        self.0 += length;
    }
}
