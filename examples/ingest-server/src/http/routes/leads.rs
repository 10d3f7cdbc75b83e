//! `/v1/leads`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    body::Body,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    response::{IntoResponse as _, Response},
};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header::LOCATION};
use portcullis_pii_crypto::AnyPii;
use portcullis_ratelimit::{Category, Decision};
use serde_json::{Value, json};

use crate::{
    http::{
        problem::{Problem, limit_fields},
        run_detached::run_detached,
    },
    lead::view::{self, OpenLeadError, View},
    lead::{LeadColumn, LeadId, LeadIndexes, LeadRecord},
    permission::Permission,
    pipeline::limits,
    pipeline::rejection::{Rejection, RequestRejection},
    pipeline::services::Services,
    pipeline::{self, Caller, Intake},
    quality::Reason,
    store::LeadChange,
};

/// Says why personal data is read; without it, it is masked.
static ACCESS_REASON: HeaderName = HeaderName::from_static("x-access-reason");

/// The most leads of one answer.
const MAX_FOUND: usize = 100;

/// One lead more tells whether there are any.
const FETCHED: u32 = 101;

/// `POST /v1/leads`: 201 for a new lead, 200 for one whose e-mail is known.
pub(super) async fn ingest(
    State(services): State<Arc<Services>>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let acknowledged = run_detached(request, async move |request| {
        pipeline::ingest(&services, Intake::Lead, request).await
    });
    let acknowledged = acknowledged.await?;
    let fields: HeaderMap = limit_fields(&acknowledged.limits).collect();
    if let Some(rejected) = acknowledged.rejected.into_iter().next() {
        return Err(Problem::of_items([rejected.rejection]));
    }
    let outcome = acknowledged
        .accepted
        .first()
        .and_then(|accepted| accepted.lead);
    let Some(lead) = outcome else {
        return Err(Rejection::plain(Reason::Internal).into());
    };
    let answer = Json(json!({ "id": lead.id.to_string() }));
    match lead.change {
        LeadChange::Merge | LeadChange::Update => {
            Ok((StatusCode::OK, fields, answer).into_response())
        }
        LeadChange::Create => {
            let location = HeaderValue::from_str(&format!("/v1/leads/{}", lead.id));
            let location = location.expect("a path with a UUID is visible ASCII");
            Ok((StatusCode::CREATED, fields, [(LOCATION, location)], answer).into_response())
        }
    }
}

/// `GET /v1/leads/{id}`.
pub(super) async fn read(
    State(services): State<Arc<Services>>,
    id: Result<Path<String>, PathRejection>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (caller, limits) = reader(&services, &extensions, &headers).await?;
    let answer = async {
        let Path(id) = id?;
        let id = LeadId::parse(&id).ok_or_else(Problem::not_found)?;
        let lead = services.store.lead(&caller.tenant, id).await;
        let lead = lead.map_err(Rejection::from)?;
        let lead = lead.ok_or_else(Problem::not_found)?;
        show(&services, &caller, &headers, &lead).await
    };
    Ok(answer_within(&limits, answer.await))
}

/// `GET /v1/leads?email=` and its siblings.
pub(super) async fn find(
    State(services): State<Arc<Services>>,
    parameters: Result<Query<BTreeMap<String, String>>, QueryRejection>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (caller, limits) = reader(&services, &extensions, &headers).await?;
    let answer = async {
        let Query(mut parameters) = parameters?;
        let after = take_cursor(&mut parameters)?;
        let (column, value) = wanted(&parameters)?;
        let indexes = LeadIndexes::derive(&services.index_roots, &caller.tenant);
        let index = indexes.values(column, &value);
        let mut found = Vec::new();
        let mut next = None;
        if let Some(enforced) = index.first() {
            let mut leads = services
                .store
                .leads_by_index(&caller.tenant, column, enforced.as_bytes(), after, FETCHED)
                .await
                .map_err(Rejection::from)?;
            if leads.len() > MAX_FOUND {
                leads.truncate(MAX_FOUND);
                next = leads.last().map(|lead| lead.id.to_string());
            }
            for lead in &leads {
                found.push(show(&services, &caller, &headers, lead).await?);
            }
        }
        Ok(json!({ "leads": found, "next": next }))
    };
    Ok(answer_within(&limits, answer.await))
}

/// Who reads, within the limits of reading, and how those stand. Before anything is said about
/// what is asked for.
async fn reader(
    services: &Services,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Result<(Caller, Decision), RequestRejection> {
    let address = pipeline::limit_address(services, extensions).await?;
    let caller = pipeline::authenticate(services, headers, address, Permission::LeadsRead).await?;
    let limits = limits::check(services, &caller, Category::READ, 1).await?;
    Ok((caller, limits))
}

fn answer_within(limits: &Decision, answer: Result<Value, Problem>) -> Response {
    let fields: HeaderMap = limit_fields(limits).collect();
    (fields, answer.map(Json)).into_response()
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

fn wanted(parameters: &BTreeMap<String, String>) -> Result<(&'static LeadColumn, AnyPii), Problem> {
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
        Problem::bad_request(format!(
            "`{}` must be {}",
            column.name(),
            column.kind().expected()
        ))
    })?;
    Ok((column, value))
}

fn searchable_names() -> String {
    let names = LeadColumn::searchable().map(|column| format!("`{}`", column.name()));
    names.collect::<Vec<_>>().join(", ")
}

async fn show(
    services: &Services,
    caller: &Caller,
    headers: &HeaderMap,
    lead: &LeadRecord,
) -> Result<Value, Problem> {
    let gives_reason = headers
        .get(&ACCESS_REASON)
        .is_some_and(|reason| !reason.is_empty());
    let view = if caller.may(Permission::PiiRead) && gives_reason {
        View::Open
    } else {
        View::Masked
    };
    if view == View::Open {
        tracing::info!(kid = %caller.principal.kid(), lead = %lead.id, "personal data was read");
    }
    view::show(&services.keyring, &caller.tenant, lead, view)
        .await
        .map_err(|error| match error {
            OpenLeadError::Keys(_) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a lead was not opened"
                );
                Rejection::plain(Reason::CapacityKeysUnavailable).into()
            }
            OpenLeadError::Rejected { .. } => {
                Problem::internal(&error, "a acknowledged value is not intact")
            }
        })
}
