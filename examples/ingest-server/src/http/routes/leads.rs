//! `/v1/leads`.

mod change;
mod query;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use http::{Extensions, HeaderMap, HeaderValue, Request, StatusCode, Uri, header::LOCATION};
use portcullis_ratelimit::{Admitted, Decision};
use serde::Serialize;

use crate::{
    http::{
        answer::Json,
        problem::{Problem, limit_fields},
        query::NoQuery,
        run_detached::run_detached,
    },
    lead::LeadId,
    pipeline::{
        self, AccessReason, Intake, InvalidReason, LeadReads, LeadRequest, rejection::Rejection,
        services::Services,
    },
    quality::Reason,
    store::LeadChange,
};

pub(super) use self::change::{erase, patch};

/// `POST /v1/leads`: 201 for a new lead, 200 for one whose e-mail is known.
pub(super) async fn ingest(
    State(services): State<Arc<Services>>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let on_conflict = query::on_conflict(request.uri());
    let on_conflict = pipeline::account_for(&services.quality, on_conflict)?;
    let intake = Intake::Lead(LeadRequest::Upsert(on_conflict));
    let acknowledged = run_detached(request, async move |request| {
        pipeline::ingest(&services, intake, request).await
    });
    let acknowledged = acknowledged.await;
    let acknowledged = acknowledged.map_err(|problem| problem.accepting(intake.media_types()))?;
    let fields: HeaderMap = limit_fields(&acknowledged.limits).collect();
    if let Some(rejected) = acknowledged.rejected.into_iter().next() {
        return Err(refused(rejected.rejection));
    }
    let mut accepted = acknowledged.accepted.into_iter();
    let Some(lead) = accepted.next().and_then(|accepted| accepted.lead) else {
        return Err(Rejection::plain(Reason::Internal).into());
    };
    let answer = Json(TakenLead {
        id: lead.id.to_string(),
    });
    match lead.change {
        LeadChange::Merge | LeadChange::Update | LeadChange::Erase | LeadChange::Discard => {
            Ok((StatusCode::OK, fields, answer).into_response())
        }
        LeadChange::Create => {
            let location = HeaderValue::from_str(&format!("/v1/leads/{}", lead.id));
            let location = location.expect("a path with a UUID is visible ASCII");
            Ok((StatusCode::CREATED, fields, [(LOCATION, location)], answer).into_response())
        }
    }
}

/// A lead that was not taken. That another lead has its value is a conflict; what else is wrong with it is
/// unprocessable.
fn refused(rejection: Rejection) -> Problem {
    match rejection.reason {
        Reason::SemanticTaken => rejection.into(),
        _ => Problem::of_items([rejection]),
    }
}

/// What a sender is told of a lead that was taken.
#[derive(Serialize)]
struct TakenLead {
    id: String,
}

/// `GET /v1/leads/{id}`.
pub(super) async fn read(
    State(services): State<Arc<Services>>,
    id: Result<Path<String>, PathRejection>,
    query: Result<NoQuery, Problem>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let admitted = pipeline::admit_reader(&services, &extensions, &headers, false).await?;
    let (caller, admitted) = admitted;
    let answer = async {
        query?;
        let Path(id) = id?;
        let id = LeadId::parse(&id).ok_or_else(Problem::not_found)?;
        let leads = LeadReads::new(&services, &caller, reason(&services, &headers)?);
        leads.read(id).await?.ok_or_else(Problem::not_found)
    };
    let answer = answer.await;
    Ok(answer_within(admitted, answer.map(Json)))
}

/// `GET /v1/leads?email=` and its siblings.
pub(super) async fn find(
    State(services): State<Arc<Services>>,
    target: Uri,
    extensions: Extensions,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = query::read(&target);
    let asked = asked.and_then(|query| Ok((query, reason(&services, &headers)?)));
    let admitted = pipeline::admit_reader(&services, &extensions, &headers, asked.is_ok()).await?;
    let (caller, mut admitted) = admitted;
    let mut searches = None;
    let answer = async {
        let (query, reason) = asked?;
        let leads = LeadReads::new(&services, &caller, reason);
        let search = leads.admit_search().await?;
        let page = leads.find(&query, &search, &mut admitted).await;
        searches = search.into_limits();
        page.map_err(Problem::from)
    };
    let answer = answer.await;
    let mut response = answer_within(admitted, answer.map(Json));
    if let Some(searches) = searches {
        add_limits(&mut response, searches);
    }
    Ok(response)
}

fn reason(services: &Services, headers: &HeaderMap) -> Result<Option<AccessReason>, Problem> {
    let reason = AccessReason::read(headers, &services.reason_codes, &services.detector);
    reason.map_err(|error: InvalidReason| Problem::bad_request(error.to_string()))
}

/// A refusal tells of the limits itself.
pub(super) fn answer_within(
    admitted: Admitted,
    answer: Result<impl IntoResponse, Problem>,
) -> Response {
    let mut response = answer.into_response();
    add_limits(&mut response, admitted);
    response
}

/// Adds how limits stand, as further members of the same lists.
fn add_limits(response: &mut Response, admitted: Admitted) {
    if response.status() != StatusCode::TOO_MANY_REQUESTS {
        for (name, value) in limit_fields(&Decision::Admitted(admitted)) {
            response.headers_mut().append(name, value);
        }
    }
}
