//! Names for what is another in each run: ids of leads, traces and times.

use serde_json::Value;

/// Members whose value is a time of the run, weighs by it, or names a trace of it.
const OF_THE_RUN: [&str; 6] = [
    "trace_id",
    "made_at",
    "last_seen",
    "taken_at",
    "five_minutes",
    "one_hour",
];

/// The ids of leads, in the order in which answers and then rows told them.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    leads: Vec<String>,
}

impl Aliases {
    /// The name of a lead.
    pub(super) fn lead(&mut self, id: &str) -> String {
        let known = self.leads.iter().position(|lead| lead == id);
        let at = known.unwrap_or_else(|| {
            self.leads.push(id.to_owned());
            self.leads.len() - 1
        });
        format!("lead {}", at + 1)
    }

    /// A request, with ids in place of the names.
    pub(super) fn filled(&self, text: &str) -> String {
        let named = self.leads.iter().enumerate();
        named.fold(text.to_owned(), |text, (at, id)| {
            text.replace(&format!("{{{{lead {}}}}}", at + 1), id)
        })
    }

    /// An answer, with names in place of what each run has for itself.
    pub(super) fn told(&mut self, body: &str) -> String {
        let Ok(mut body) = serde_json::from_str::<Value>(body) else {
            return format!("{body:?}");
        };
        if let Some(id) = body["id"].as_str() {
            self.lead(id);
        }
        self.scrub(&mut body);
        body.to_string()
    }

    pub(super) fn scrub(&self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.scrub(item)),
            Value::Object(members) => {
                for (name, value) in members {
                    if OF_THE_RUN.contains(&name.as_str()) && !value.is_null() {
                        *value = format!("<{name}>").into();
                    }
                    self.scrub(value);
                }
            }
            Value::String(text) => {
                for (at, id) in self.leads.iter().enumerate() {
                    *text = text.replace(id, &format!("<lead {}>", at + 1));
                }
            }
            _ => {}
        }
    }
}
