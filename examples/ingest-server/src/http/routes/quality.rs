//! `/admin/quality`.

use axum::{
    Extension,
    extract::State,
    response::{Html, IntoResponse as _, Response},
};
use http::{HeaderValue, Uri, header::CONTENT_SECURITY_POLICY};

use super::admin::AdminState;
use crate::{
    admin::{Actor, PeriodAsked, PeriodError, Samples},
    http::{answer::Json, problem::Problem, query::Query},
    pipeline::rejection::Rejection,
};

/// What there is to ask for of reports.
const PARAMETERS: [&str; 4] = ["tenant", "days", "from", "to"];

/// Whose report is asked for, and of which days; without any, since the start.
struct Asked {
    tenant: Option<String>,
    period: PeriodAsked,
}

impl Asked {
    fn read(target: &Uri) -> Result<Self, Problem> {
        let mut query = Query::read(target, &PARAMETERS)?;
        Ok(Self {
            tenant: query.take("tenant"),
            period: PeriodAsked {
                days: query.take("days"),
                from: query.take("from"),
                to: query.take("to"),
            },
        })
    }
}

/// `GET /admin/quality`: outcomes, reasons, scores and versions since the start, or with
/// `?days=` or `?from=&to=` outcomes, reasons and scores of days, and samples.
pub(super) async fn report(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    target: Uri,
) -> Result<Response, Problem> {
    let Asked { tenant, period } = Asked::read(&target)?;
    let (cases, tenant) = (&state.use_cases, tenant.as_deref());
    if period.is_any() {
        let report = cases.quality_periods.report(&actor, tenant, &period);
        return Ok(Json(report.await?).into_response());
    }
    let report = cases.quality.report(&actor, tenant);
    Ok(Json(report.await?).into_response())
}

/// `GET /admin/quality/report`: the same for people.
pub(super) async fn page(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    target: Uri,
) -> Result<Response, Problem> {
    let Asked { tenant, period } = Asked::read(&target)?;
    let (cases, tenant) = (&state.use_cases, tenant.as_deref());
    let page = if period.is_any() {
        let report = cases.quality_periods.report(&actor, tenant, &period);
        report.await?.html().to_string()
    } else {
        cases
            .quality
            .report(&actor, tenant)
            .await?
            .html()
            .to_string()
    };
    // The page brings its own style and asks for nothing else.
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
    Ok(([(CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response())
}

/// `GET /admin/quality/samples`: masked samples of what was discarded, by reason.
pub(super) async fn samples(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    target: Uri,
) -> Result<Json<Samples>, Problem> {
    let tenant = Query::read(&target, &["tenant"])?.take("tenant");
    let samples = state.use_cases.quality.samples(&actor, tenant.as_deref());
    Ok(Json(samples.await?))
}

impl From<PeriodError> for Problem {
    fn from(error: PeriodError) -> Self {
        match error {
            PeriodError::Invalid(error) => Self::bad_request(error.to_string()),
            PeriodError::Unrecorded(error) => error.into(),
            PeriodError::History(error) => Rejection::from(error).into(),
        }
    }
}
