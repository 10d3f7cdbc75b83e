//! Which leads a query string asks for.

use std::collections::BTreeMap;

use crate::{
    http::problem::Problem,
    lead::{LeadColumn, LeadId},
    pipeline::LeadQuery,
};

/// Reads `?<column>=<value>&after=`: one column, and the `next` of an earlier answer or nothing.
pub(super) fn read(mut parameters: BTreeMap<String, String>) -> Result<LeadQuery, Problem> {
    let after = take_cursor(&mut parameters)?;
    let (Some((name, text)), 1) = (parameters.first_key_value(), parameters.len()) else {
        return Err(Problem::bad_request(format!(
            "ask for one of {}",
            searchable_names()
        )));
    };
    let column = LeadColumn::searchable().find(|column| column.name() == name);
    let column = column.ok_or_else(|| {
        Problem::bad_request(format!("leads are found by {}", searchable_names()))
    })?;
    let value = column.kind().parse(text).map_err(|_| {
        let (name, expected) = (column.name(), column.kind().expected());
        Problem::bad_request(format!("`{name}` must be {expected}"))
    })?;
    Ok(LeadQuery {
        column,
        value,
        after,
    })
}

/// Where an earlier answer ended.
fn take_cursor(parameters: &mut BTreeMap<String, String>) -> Result<Option<LeadId>, Problem> {
    let Some(text) = parameters.remove("after") else {
        return Ok(None);
    };
    let id = LeadId::parse(&text);
    id.map(Some)
        .ok_or_else(|| Problem::bad_request("`after` must be the `next` of an earlier answer"))
}

fn searchable_names() -> String {
    let names = LeadColumn::searchable().map(|column| format!("`{}`", column.name()));
    names.collect::<Vec<_>>().join(", ")
}
