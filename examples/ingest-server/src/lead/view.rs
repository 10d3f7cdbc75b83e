//! Leads on their way out: opened, and masked for those who may not see personal data.

use portcullis_audit_log::event::Field;
use serde::{Serialize, Serializer};

use super::{COLUMNS, ColumnFault, LeadColumn, OpenedLead};

/// How much of the personal data is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// As it was given.
    Open,
    /// Recognisable to who knows it, useless to who does not.
    Masked,
}

/// A lead as it is shown. It has no `Debug`: its texts may be personal data in the clear.
#[derive(Serialize)]
pub(crate) struct LeadView {
    id: String,
    /// The columns that the lead has, each under its name; null where a column is listed below.
    #[serde(flatten, serialize_with = "serialize_columns")]
    columns: Vec<(&'static str, Option<String>)>,
    created_at: Option<String>,
    updated_at: Option<String>,
    masked: bool,
    /// What is not as it was written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'static str>,
    /// What no key may open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unavailable: Vec<&'static str>,
}

impl LeadView {
    /// Whose it is.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The fields that it shows, such as `lead.email`.
    pub(crate) fn fields(&self) -> impl Iterator<Item = Field> + '_ {
        let shows = |name| {
            let mut shown = self.columns.iter().filter(|(_, text)| text.is_some());
            shown.any(|(shown, _)| *shown == name)
        };
        let columns = COLUMNS.iter().filter(move |column| shows(column.name()));
        columns.map(LeadColumn::audit_field)
    }

    pub(crate) fn new(lead: OpenedLead, view: View) -> Self {
        let names = |is_listed: fn(ColumnFault) -> bool| {
            let faults = lead.faults();
            let listed = faults.filter(|(_, fault)| is_listed(*fault));
            listed.map(|(column, _)| column.name()).collect()
        };
        Self {
            unreadable: names(|fault| fault == ColumnFault::NotIntact),
            unavailable: names(|fault| fault != ColumnFault::NotIntact),
            id: lead.id.to_string(),
            columns: lead
                .columns
                .iter()
                .map(|(column, value)| {
                    let text = value.as_ref().ok().map(|value| match view {
                        // EXPOSE: the caller may read personal data and gave a reason.
                        View::Open => value.expose().to_owned(),
                        View::Masked => value.masked(),
                    });
                    (column.name(), text)
                })
                .collect(),
            created_at: lead.created_at,
            updated_at: lead.updated_at,
            masked: view == View::Masked,
        }
    }
}

fn serialize_columns<S: Serializer>(
    columns: &[(&'static str, Option<String>)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(columns.iter().map(|(name, text)| (name, text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_is_one_object_of_its_columns_in_their_order_without_those_it_has_not() {
        let mut view = LeadView {
            id: "1".to_owned(),
            columns: vec![
                ("phone", Some("+44***58".to_owned())),
                ("name", Some("A***".to_owned())),
            ],
            created_at: Some("then".to_owned()),
            updated_at: Some("now".to_owned()),
            masked: true,
            unreadable: Vec::new(),
            unavailable: Vec::new(),
        };
        let expected = r#"{"id":"1","phone":"+44***58","name":"A***","created_at":"then","updated_at":"now","masked":true}"#;
        assert_eq!(serde_json::to_string(&view).unwrap(), expected);
        view.columns[0].1 = None;
        view.unreadable.push("phone");
        let expected = r#"{"id":"1","phone":null,"name":"A***","created_at":"then","updated_at":"now","masked":true,"unreadable":["phone"]}"#;
        assert_eq!(serde_json::to_string(&view).unwrap(), expected);
    }
}
