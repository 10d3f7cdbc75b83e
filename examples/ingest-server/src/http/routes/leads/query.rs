//! Which leads a query string asks for.

use http::Uri;
use portcullis_pii_crypto::{QueryTooShort, TrigramQuery};

use crate::{
    http::{problem::Problem, query::Query},
    lead::{LeadColumn, LeadId},
    pipeline::{LeadQuery, OnConflict, Wanted, rejection::Rejection},
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
    let known: Vec<&'static str> = asked_by().map(LeadColumn::name).chain([AFTER]).collect();
    let mut query = Query::read(target, &known)?;
    let after = query.take(AFTER).map(|text| {
        let id = LeadId::parse(&text);
        id.ok_or_else(|| Problem::bad_request("`after` must be the `next` of an earlier answer"))
    });
    let after = after.transpose()?;
    let given = query.only().and_then(|(name, text)| {
        let column = asked_by().find(|column| column.name() == name)?;
        Some((column, text))
    });
    let (column, text) = given
        .ok_or_else(|| Problem::bad_request(format!("ask for one of {}", searchable_names())))?;
    let wanted = if column.is_found_by_part() {
        part(column, &text)?
    } else {
        value(column, &text)?
    };
    Ok(LeadQuery {
        column,
        wanted,
        after,
    })
}

/// The columns that are asked for by a whole value or by a part.
fn asked_by() -> impl Iterator<Item = &'static LeadColumn> {
    LeadColumn::searchable().chain(LeadColumn::found_by_part())
}

fn value(column: &LeadColumn, text: &str) -> Result<Wanted, Problem> {
    // A plus that came as a blank: without it, another lead might be found, or none.
    let is_cut = text.starts_with(' ') || text.ends_with(' ');
    let kind = column.kind();
    let value = match kind.parse(text) {
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
    Ok(Wanted::Value(value))
}

fn part(column: &LeadColumn, text: &str) -> Result<Wanted, Problem> {
    let name = column.name();
    if text.chars().count() > column.max_chars() as usize {
        let most = column.max_chars();
        let refusal = format!("`{name}` must be a part of a name, of at most {most} characters");
        return Err(Problem::bad_request(refusal));
    }
    let part = TrigramQuery::parse(text);
    part.map(Wanted::Substring).map_err(|QueryTooShort { .. }| {
        let refusal = format!("`{name}` must be at least 3 letters in a row of a name");
        Problem::bad_request(refusal)
    })
}

fn searchable_names() -> String {
    let names = asked_by().map(|column| format!("`{}`", column.name()));
    names.collect::<Vec<_>>().join(", ")
}
