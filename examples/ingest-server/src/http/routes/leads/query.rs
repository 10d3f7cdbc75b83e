//! Which leads a query string asks for.

use http::Uri;

use crate::{
    http::{problem::Problem, query::Query},
    lead::{LeadColumn, LeadId},
    pipeline::{LeadQuery, OnConflict, rejection::Rejection},
    quality::Reason,
};

/// Where an earlier answer ended.
const AFTER: &str = "after";

/// Reads `?on_conflict=update`, or nothing.
pub(super) fn on_conflict(target: &Uri) -> Result<OnConflict, Rejection> {
    match Query::read(target, &["on_conflict"])?.take("on_conflict") {
        None => Ok(OnConflict::Refuse),
        Some(text) if text == "update" => Ok(OnConflict::Update),
        Some(_) => {
            let detail = "`on_conflict` must be `update`, or be left out";
            Err(Rejection::new(Reason::TransportQuery, detail))
        }
    }
}

/// Reads `?<column>=<value>&after=`: one column, and the `next` of an earlier answer or nothing.
pub(super) fn read(target: &Uri) -> Result<LeadQuery, Problem> {
    let names = LeadColumn::searchable().map(LeadColumn::name);
    let known: Vec<&'static str> = names.chain([AFTER]).collect();
    let mut query = Query::read(target, &known)?;
    let after = query.take(AFTER).map(|text| {
        let id = LeadId::parse(&text);
        id.ok_or_else(|| Problem::bad_request("`after` must be the `next` of an earlier answer"))
    });
    let after = after.transpose()?;
    let given = query.only().and_then(|(name, text)| {
        let column = LeadColumn::searchable().find(|column| column.name() == name)?;
        Some((column, text))
    });
    let (column, text) = given
        .ok_or_else(|| Problem::bad_request(format!("ask for one of {}", searchable_names())))?;
    // A plus that came as a blank: without it, another lead might be found, or none.
    let is_cut = text.starts_with(' ') || text.ends_with(' ');
    let kind = column.kind();
    let value = match kind.parse(&text) {
        Ok(value) if !is_cut => Ok(value),
        Ok(_) => Err(format!("must be {}", kind.expected())),
        Err(error) => Err(kind.refusal(error)),
    };
    let value = value.map_err(|refusal| {
        let name = column.name();
        let advice = if text.contains(' ') {
            "; a blank stands in it: if a `+` was meant, write `%2B`"
        } else {
            ""
        };
        Problem::bad_request(format!("`{name}` {refusal}{advice}"))
    })?;
    Ok(LeadQuery {
        column,
        value,
        after,
    })
}

fn searchable_names() -> String {
    let names = LeadColumn::searchable().map(|column| format!("`{}`", column.name()));
    names.collect::<Vec<_>>().join(", ")
}
