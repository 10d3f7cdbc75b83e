//! `/admin/audit/report`: what happened in a period.

use axum::{
    Extension,
    extract::State,
    response::{Html, IntoResponse as _, Response},
};
use http::{
    HeaderMap, HeaderValue, Uri,
    header::{ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
};

use crate::{
    admin::{Actor, AuditPeriod},
    http::{answer::Json, problem::Problem, query::Query, routes::admin::AdminState},
};

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Markdown,
    Html,
}

const TITLE: &str = "Audit log";

impl Format {
    /// The one that is asked for, or else the one that is accepted.
    fn of(parameter: Option<&str>, headers: &HeaderMap) -> Result<Self, Problem> {
        let unknown = "`format` must be one of json, markdown, html";
        match parameter {
            Some("json") => Ok(Self::Json),
            Some("markdown") => Ok(Self::Markdown),
            Some("html") => Ok(Self::Html),
            Some(_) => Err(Problem::bad_request(unknown)),
            None => Ok(Self::accepted(headers)),
        }
    }

    /// What is named first; who accepts anything is given JSON.
    fn accepted(headers: &HeaderMap) -> Self {
        let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
        let names = accept.unwrap_or_default().split(',');
        let mut known = names.filter_map(|name| match name.split(';').next()?.trim() {
            "application/json" => Some(Self::Json),
            "text/markdown" => Some(Self::Markdown),
            "text/html" => Some(Self::Html),
            _ => None,
        });
        known.next().unwrap_or(Self::Json)
    }
}

/// `GET /admin/audit/report`.
pub(in crate::http::routes) async fn report(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    target: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut query = Query::read(&target, &["from", "to", "format"])?;
    let period = AuditPeriod {
        from: query.take("from"),
        to: query.take("to"),
    };
    let format = Format::of(query.take("format").as_deref(), &headers)?;
    let report = state.use_cases.audit.report(&actor, &period).await?;
    Ok(match format {
        Format::Json => Json(report.to_json()).into_response(),
        Format::Markdown => {
            let kind = HeaderValue::from_static("text/markdown; charset=utf-8");
            ([(CONTENT_TYPE, kind)], report.to_markdown(TITLE)).into_response()
        }
        Format::Html => {
            // The page brings its own style and asks for nothing else.
            let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
            let page = Html(report.to_html(TITLE));
            ([(CONTENT_SECURITY_POLICY, policy)], page).into_response()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_goes_before_what_is_accepted() {
        let accepting = |accept: &'static str| {
            HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))])
        };
        for (parameter, accept, format) in [
            (None, "*/*", Format::Json),
            (
                None,
                "text/html,application/xhtml+xml,*/*;q=0.8",
                Format::Html,
            ),
            (None, "text/markdown; charset=utf-8", Format::Markdown),
            (None, "application/json, text/html", Format::Json),
            (Some("markdown"), "text/html", Format::Markdown),
            (Some("json"), "text/html", Format::Json),
        ] {
            let found = Format::of(parameter, &accepting(accept)).unwrap();
            assert_eq!(found, format, "{parameter:?} {accept}");
        }
        Format::of(Some("pdf"), &HeaderMap::new()).unwrap_err();
    }
}
