//! Personal data where none is declared would be stored as it is: it is refused, or sealed where it
//! stands, as the policy of the tenant has it.

use std::{fmt::Write as _, ptr};

use portcullis_pii_crypto::{FreeText, PiiKind};
use portcullis_pii_detect::Kind;
use serde_json::{Number, Value};

use super::{Personal, PersonalSource, clean_texts::CleanTexts};
use crate::{
    detection::{Detection, Handling},
    json::escaped,
    pipeline::{parse::Parsed, rejection::Rejection},
    quality::Reason,
    schemas::{MAX_POINTER, Schema},
};

/// As what a value is sealed that no schema says anything of.
const SEALED_AS: PiiKind = PiiKind::of::<FreeText>();

/// The most values that are sealed in one event: each takes a hundred bytes more than it has.
const MAX_SEALED: usize = 1_000;

/// Values that are not looked at, by their addresses in the data. They are few, and every value is asked
/// for: in order, that takes less than a hash.
#[derive(Debug)]
pub(super) struct Exempt(Vec<*const Value>);

impl Exempt {
    pub(super) fn new(mut values: Vec<*const Value>) -> Self {
        values.sort_unstable();
        Self(values)
    }

    fn has(&self, value: &Value) -> bool {
        self.0.binary_search(&ptr::from_ref(value)).is_ok()
    }
}

/// A value that is to be sealed, and what was found in it.
#[derive(Debug)]
pub(super) struct Detected {
    pub(super) kind: Kind,
    pub(super) personal: Personal,
}

/// What was found where it cannot stay.
#[derive(Debug)]
pub(super) struct Undeclared {
    pub(super) kind: Kind,
    pub(super) rejection: Rejection,
}

/// Looks at everything that is not to be sealed anyway: the envelope's texts; and of the data the
/// names of members, texts and numbers. Some of the envelope's is not stored, but its sender takes it
/// for what anybody may read. The type needs no look: it is the name of a schema.
pub(super) fn check(
    detection: &Detection,
    schema: &Schema,
    parsed: &Parsed,
    exempt: &Exempt,
    clean: &mut CleanTexts,
) -> Result<Vec<Detected>, Box<Undeclared>> {
    if !detection.is_on() {
        return Ok(Vec::new());
    }
    let mut walk = Walk {
        detection,
        schema,
        exempt,
        clean,
        root: parsed.envelope.as_ref().map(|_| "data"),
        steps: Vec::new(),
        digits: String::new(),
        found: Vec::new(),
    };
    if let Some(envelope) = &parsed.envelope {
        walk.unsealable("", &envelope.id, || "`id`".to_owned())?;
        walk.recurring("", &envelope.source, || "`source`".to_owned())?;
    }
    for dropped in &parsed.unstored {
        walk.recurring(&dropped.name, &dropped.text, || dropped.place.to_owned())?;
    }
    walk.value("", &parsed.data)?;
    Ok(walk.found)
}

/// What leads from a value to one below it.
#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Member(&'a str),
    Item(usize),
}

#[derive(Debug)]
struct Walk<'a> {
    detection: &'a Detection,
    schema: &'a Schema,
    exempt: &'a Exempt,
    clean: &'a mut CleanTexts,
    /// What the data is called; nothing for a lead that came by itself, of which only columns are
    /// stored: nothing of it can be sealed in its place.
    root: Option<&'static str>,
    steps: Vec<Step<'a>>,
    /// Room for the digits of a number.
    digits: String,
    found: Vec<Detected>,
}

impl<'a> Walk<'a> {
    /// `name` is that of the nearest member: the value's own, or its array's.
    fn value(&mut self, name: &'a str, value: &'a Value) -> Result<(), Box<Undeclared>> {
        match value {
            Value::Null | Value::Bool(_) => Ok(()),
            Value::String(_) | Value::Number(_) if self.exempt.has(value) => Ok(()),
            Value::String(text) => {
                let sealed = self.look(name, text)?;
                sealed.map_or(Ok(()), |kind| self.seal(kind, text))
            }
            Value::Number(number) => self.number(name, number),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .try_for_each(|(index, item)| self.below(Step::Item(index), name, item)),
            Value::Object(members) => members.iter().try_for_each(|(name, member)| {
                self.recurring("", name, || "the name of a member".to_owned())
                    .map_err(|undeclared| self.within(undeclared))?;
                self.below(Step::Member(name), name, member)
            }),
        }
    }

    fn below(
        &mut self,
        step: Step<'a>,
        name: &'a str,
        value: &'a Value,
    ) -> Result<(), Box<Undeclared>> {
        self.steps.push(step);
        let looked = self.value(name, value);
        self.steps.pop();
        looked
    }

    /// A number is looked at as it is written. One without a fraction may have been written with a
    /// point or an exponent, which changes nothing of whose it is.
    fn number(&mut self, name: &str, number: &Number) -> Result<(), Box<Undeclared>> {
        let mut digits = std::mem::take(&mut self.digits);
        digits.clear();
        // Text takes whatever is written to it.
        let _ = write!(digits, "{number}");
        let mut found = self.look(name, &digits)?;
        let whole = number.as_f64().filter(|_| number.is_f64());
        if let Some(whole) = whole.filter(|whole| whole.fract() == 0.0 && whole.abs() < MAX_WHOLE) {
            found = found.or(self.look(name, &format!("{whole:.0}"))?);
        }
        let sealed = found.map_or(Ok(()), |kind| self.seal(kind, &digits));
        self.digits = digits;
        sealed
    }

    /// The kind for which a value has to be sealed, if any is found in it and none is refused.
    fn look(&self, name: &str, text: &str) -> Result<Option<Kind>, Box<Undeclared>> {
        let mut sealed = None;
        for finding in self.detection.detector().find_named(name, text) {
            match self.detection.handling(finding.kind) {
                Handling::Reject => return Err(refused(finding.kind, &self.place(), "")),
                Handling::Seal => sealed = sealed.or(Some(finding.kind)),
                Handling::Off => {}
            }
        }
        Ok(sealed)
    }

    fn seal(&mut self, kind: Kind, text: &str) -> Result<(), Box<Undeclared>> {
        if self.root.is_none() {
            return Err(refused(kind, &self.place(), CANNOT_BE_SEALED));
        }
        if self.found.len() == MAX_SEALED {
            let why = format!("; no more than {MAX_SEALED} values of one event are sealed");
            return Err(refused(kind, &self.place(), &why));
        }
        let value = SEALED_AS.parse(text).map_err(|_| {
            let why = format!("; what is sealed there must be {}", SEALED_AS.expected());
            refused(kind, &self.place(), &why)
        })?;
        let pointer = self.pointer();
        if pointer.len() > MAX_POINTER {
            let why = format!(
                "; nothing is sealed where a JSON pointer takes more than {MAX_POINTER} bytes"
            );
            return Err(refused(kind, &self.place(), &why));
        }
        let personal = Personal {
            pointer,
            value,
            source: PersonalSource::Detected,
        };
        self.found.push(Detected { kind, personal });
        Ok(())
    }

    /// Refuses what is found in a text that is not sealed, however its kind is handled.
    fn unsealable(
        &self,
        name: &str,
        text: &str,
        place: impl FnOnce() -> String,
    ) -> Result<(), Box<Undeclared>> {
        let found = self.detection.detector().find_named(name, text).next();
        match found {
            None => Ok(()),
            Some(finding) => Err(refused(
                finding.kind,
                &place(),
                match self.detection.handling(finding.kind) {
                    Handling::Seal => CANNOT_BE_SEALED,
                    Handling::Reject | Handling::Off => "",
                },
            )),
        }
    }

    /// The same of a text that other events have too.
    fn recurring(
        &mut self,
        name: &str,
        text: &str,
        place: impl FnOnce() -> String,
    ) -> Result<(), Box<Undeclared>> {
        if self.clean.has(name, text) {
            return Ok(());
        }
        self.unsealable(name, text, place)?;
        self.clean.remember(name, text);
        Ok(())
    }

    /// Says in what the member stands whose name is refused.
    fn within(&self, mut undeclared: Box<Undeclared>) -> Box<Undeclared> {
        let detail = format!("in {}, {}", self.place(), undeclared.rejection.detail);
        undeclared.rejection.detail = detail.into();
        undeclared
    }

    /// The present place for its sender: of members, only names that the schema declares are told.
    fn place(&self) -> String {
        let steps = self.steps.iter().map(|step| match step {
            Step::Member(name) if self.schema.declares_member(name) => (*name).to_owned(),
            Step::Member(_) => "*".to_owned(),
            Step::Item(index) => index.to_string(),
        });
        let parts: Vec<String> = self
            .root
            .map(str::to_owned)
            .into_iter()
            .chain(steps)
            .collect();
        if parts.is_empty() {
            return "the body".to_owned();
        }
        format!("`{}`", parts.join("/"))
    }

    /// The present place as a JSON pointer.
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in &self.steps {
            pointer.push('/');
            match step {
                Step::Member(name) => pointer.push_str(&escaped(name)),
                Step::Item(index) => pointer.push_str(&index.to_string()),
            }
        }
        pointer
    }
}

const CANNOT_BE_SEALED: &str = "; what stands there cannot be sealed";

/// Above this, an `f64` has more digits than a number of anybody, and most of them say nothing.
const MAX_WHOLE: f64 = 1e21;

fn refused(kind: Kind, place: &str, why: &str) -> Box<Undeclared> {
    let detail = format!(
        "{place} holds what looks like personal data or a secret ({}) where the schema declares \
         none{why}",
        kind.as_str()
    );
    let rejection = Rejection::new(Reason::PolicyUndeclaredPii, detail);
    Box::new(Undeclared { kind, rejection })
}

#[cfg(test)]
mod tests;
