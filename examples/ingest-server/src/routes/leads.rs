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
use portcullis_dq_metrics::Reason;
use portcullis_ratelimit::{Category, Decision};
use serde_json::{Value, json};

use super::task::to_the_end;
use crate::{
    leads::{self, OpenLeadError, View},
    limits,
    personal::{self, LeadIndexes, PersonalValue},
    pipeline::{self, Caller, Intake, Permission},
    problem::{Problem, limit_fields},
    rejection::{Refusal, Rejection},
    services::Services,
    store::{LeadChange, LeadColumn, LeadId, LeadRow},
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
    let stored = to_the_end(request, async move |request| {
        pipeline::ingest(&services, Intake::Lead, request).await
    });
    let stored = stored.await?;
    let fields: HeaderMap = limit_fields(&stored.limits).collect();
    if let Some(rejected) = stored.rejected.into_iter().next() {
        return Err(Problem::of_items([rejected.rejection]));
    }
    let outcome = stored.accepted.first().and_then(|accepted| accepted.lead);
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
        let index = LeadIndexes::derive(&services.index_roots, &caller.tenant).rows(&value);
        let mut found = Vec::new();
        let mut next = None;
        if let Some(enforced) = index.first() {
            let mut leads = services
                .store
                .leads_by_index(&caller.tenant, column, &enforced.value, after, FETCHED)
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
) -> Result<(Caller, Decision), Refusal> {
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

fn wanted(parameters: &BTreeMap<String, String>) -> Result<(LeadColumn, PersonalValue), Problem> {
    let (Some((name, text)), 1) = (parameters.first_key_value(), parameters.len()) else {
        return Err(Problem::bad_request(
            "ask for one of `email`, `phone` or `national_id`",
        ));
    };
    let column = LeadColumn::ALL
        .into_iter()
        .find(|column| column.is_indexed() && column.name() == name)
        .ok_or_else(|| Problem::bad_request("leads are found by email, phone or national_id"))?;
    let value = PersonalValue::parse(personal::kind_of(column), text).map_err(|expected| {
        Problem::bad_request(format!("`{}` must be {expected}", column.name()))
    })?;
    Ok((column, value))
}

async fn show(
    services: &Services,
    caller: &Caller,
    headers: &HeaderMap,
    lead: &LeadRow,
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
    leads::show(services, &caller.tenant, lead, view)
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
                Problem::internal(&error, "a stored value is not intact")
            }
        })
}
