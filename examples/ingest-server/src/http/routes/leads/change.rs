//! `PATCH` and `DELETE` of `/v1/leads/{id}`.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, Request, StatusCode};

use super::{TakenLead, add_limits, refused};
use crate::{
    http::{
        answer::Json,
        problem::{Problem, limit_fields},
        query::NoQuery,
        run_detached::{finish, run_detached},
    },
    lead::LeadId,
    pipeline::{
        self, Intake, LeadRequest,
        rejection::{Rejection, RequestRejection},
        services::Services,
    },
    quality::Reason,
};

/// `PATCH /v1/leads/{id}`, a JSON merge patch: 200 when its values are the lead's.
pub(in crate::http::routes) async fn patch(
    State(services): State<Arc<Services>>,
    id: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    pipeline::account_for(&services.quality, NoQuery::read(request.uri()))?;
    let intake = Intake::Lead(LeadRequest::Patch(lead_id(id)));
    let acknowledged = run_detached(request, async move |request| {
        pipeline::ingest(&services, intake, request).await
    });
    let acknowledged = acknowledged.await;
    let acknowledged = acknowledged.map_err(|problem| problem.accepting(intake.media_types()))?;
    let fields: HeaderMap = limit_fields(&acknowledged.limits).collect();
    if let Some(rejected) = acknowledged.rejected.into_iter().next() {
        let rejection = rejected.rejection;
        let problem = match rejection.reason {
            Reason::SemanticReference => Problem::not_found(),
            _ => refused(rejection),
        };
        return Err(problem);
    }
    let mut accepted = acknowledged.accepted.into_iter();
    let Some(lead) = accepted.next().and_then(|accepted| accepted.lead) else {
        return Err(Rejection::plain(Reason::Internal).into());
    };
    let answer = Json(TakenLead {
        id: lead.id.to_string(),
    });
    Ok((StatusCode::OK, fields, answer).into_response())
}

/// `DELETE /v1/leads/{id}`: 204 when nothing of the lead is left, 404 where there is none.
pub(in crate::http::routes) async fn erase(
    State(services): State<Arc<Services>>,
    id: Result<Path<String>, PathRejection>,
    query: Result<NoQuery, Problem>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let id = lead_id(id);
    let (head, _) = request.into_parts();
    let erased = finish(async move {
        let (extensions, headers) = (&head.extensions, &head.headers);
        let (caller, admitted) = pipeline::admit_eraser(&services, extensions, headers).await?;
        let erased = match query {
            Ok(_) => pipeline::erase_lead(&services, &caller, id)
                .await
                .map_err(Problem::from),
            Err(problem) => Err(problem),
        };
        Ok::<_, RequestRejection>((admitted, erased))
    });
    let (admitted, erased) = erased.await?.map_err(Problem::from)?;
    let mut response = match erased {
        Ok(true) => StatusCode::NO_CONTENT.into_response(),
        Ok(false) => Problem::not_found().into_response(),
        Err(problem) => problem.into_response(),
    };
    add_limits(&mut response, admitted);
    Ok(response)
}

/// The lead that is meant. What is no id is that of a lead that nobody has.
fn lead_id(id: Result<Path<String>, PathRejection>) -> LeadId {
    let id = id.ok().and_then(|Path(id)| LeadId::parse(&id));
    id.unwrap_or(LeadId::NOBODY)
}
