//! An event's fields, redacted and written while there is room.

use std::{borrow::Cow, error::Error, fmt, time::SystemTime};

use tracing::field::{Field, Visit};

use super::text::with_formatted;
use crate::{
    redact::{HIDDEN, Redactor},
    traces::Ids,
};

/// What a line says beside the event's own fields.
pub(super) struct Line<'a> {
    pub(super) at: SystemTime,
    pub(super) service: &'a str,
    pub(super) span: Option<Ids>,
    pub(super) suppressed: u64,
    pub(super) redactor: &'a Redactor,
    pub(super) max_bytes: usize,
}

/// The field that tracing's macros put the formatted message into.
pub(super) const MESSAGE: &str = "message";

/// How a field is written. Both say whether it had room, and leave the line well-formed.
pub(super) trait Format {
    fn text(&self, line: &mut String, name: &str, value: &str, room: usize) -> bool;
    fn number(&self, line: &mut String, name: &str, digits: &str, room: usize) -> bool;
}

/// Writes an event's fields, redacted, while there is room.
pub(super) struct Fields<'a, F> {
    format: F,
    text: &'a mut String,
    redactor: &'a Redactor,
    end: usize,
    pub(super) cut: bool,
}

impl<'a, F: Format> Fields<'a, F> {
    /// `end` is the length that the line may have when the fields are written.
    pub(super) fn new(format: F, text: &'a mut String, redactor: &'a Redactor, end: usize) -> Self {
        Self {
            format,
            text,
            redactor,
            end,
            cut: false,
        }
    }

    fn room(&self) -> usize {
        self.end.saturating_sub(self.text.len())
    }

    /// The message is no field: a rule for names does not know what is in it.
    fn hides(&self, name: &'static str) -> bool {
        name != MESSAGE && self.redactor.hides_field(name)
    }

    fn put_hidden(&mut self, name: &str) {
        let room = self.room();
        self.cut |= !self.format.text(self.text, name, HIDDEN, room);
    }

    /// Masks before it cuts, so that half a secret is not taken for none.
    fn put_text(&mut self, name: &str, value: &str) {
        let room = self.room();
        let seen = &value[..value.floor_char_boundary(self.redactor.look_ahead(room))];
        let shown = self.redactor.mask_until(seen, room.min(seen.len()));
        let complete = self.format.text(self.text, name, &shown, room);
        self.cut |= !complete || value.len() > room;
    }

    fn put_formatted(&mut self, name: &'static str, arguments: fmt::Arguments<'_>) {
        if self.hides(name) {
            self.put_hidden(name);
        } else {
            let most = self.redactor.look_ahead(self.room());
            with_formatted(most, arguments, |text| self.put_text(name, text));
        }
    }

    /// A number short enough to be none of anybody's is not searched.
    fn put_number(&mut self, name: &'static str, number: fmt::Arguments<'_>) {
        if self.hides(name) {
            return self.put_hidden(name);
        }
        with_formatted(LONGEST_NUMBER, number, |digits| {
            let room = self.room();
            let masked = if digits.len() < SHORTEST_FINDING {
                Cow::Borrowed(digits)
            } else {
                self.redactor.mask(digits)
            };
            let complete = match masked {
                Cow::Owned(masked) => self.format.text(self.text, name, &masked, room),
                Cow::Borrowed(digits) => self.format.number(self.text, name, digits, room),
            };
            self.cut |= !complete;
        });
    }
}

/// No telephone number or address of the network is shorter, and nothing else that is made of digits.
const SHORTEST_FINDING: usize = 7;
/// The digits of the longest `f64`, and more.
const LONGEST_NUMBER: usize = 1_100;

impl<F: Format> Visit for Fields<'_, F> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if self.hides(field.name()) {
            self.put_hidden(field.name());
        } else {
            self.put_text(field.name(), value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put_formatted(field.name(), format_args!("{value:?}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put_formatted(field.name(), format_args!("{}", Causes(value)));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put_number(field.name(), format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put_number(field.name(), format_args!("{value}"));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.put_number(field.name(), format_args!("{value}"));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.put_number(field.name(), format_args!("{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.put_number(field.name(), format_args!("{value}"));
        } else {
            self.put_formatted(field.name(), format_args!("{value}"));
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put_number(field.name(), format_args!("{value}"));
    }
}

/// An error and what caused it, as one text.
struct Causes<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
