//! The request layer around any tower service: the caller's trace is continued, the response
//! carries the trace id, and the request is measured by its route.

use std::{convert::Infallible, error::Error, time::Duration};

use http::{Extensions, HeaderName, Request, Response, StatusCode};
use portcullis_telemetry::{HttpLayer, Logs, Otlp, Telemetry, current_trace_id};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tracing_subscriber::layer::SubscriberExt;

/// What the router found; with axum this is `MatchedPath`.
#[derive(Clone)]
struct Route(&'static str);

fn route(extensions: &Extensions) -> Option<&str> {
    extensions.get::<Route>().map(|route| route.0)
}

async fn answer(request: Request<&'static str>) -> Result<Response<String>, Infallible> {
    let trace = current_trace_id().map(|id| id.to_string());
    let body = format!("{} in {}", request.body(), trace.unwrap_or_default());
    Ok(Response::new(body))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (layer, guard) = Telemetry::builder("shop")
        .otlp(Otlp::Off)
        .logs(Logs::Off)
        .layer()?;
    let _active = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let http = HttpLayer::new(guard.registry(), route)?
        .with_trace_id_header(HeaderName::from_static("x-trace-id"));
    let service = ServiceBuilder::new()
        .layer(http)
        .service(service_fn(answer));

    let request = Request::get("/orders/17")
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
        .extension(Route("/orders/{id}"))
        .body("order")?;
    let response = service.oneshot(request).await?;

    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        response.headers()["x-trace-id"],
        "0af7651916cd43dd8448eb211c80319c"
    );
    assert_eq!(response.body(), "order in 0af7651916cd43dd8448eb211c80319c");
    let metrics = guard.registry().render(None)?.body;
    let counted = "http_server_request_duration_seconds_count{http_request_method=\"GET\",\
                   http_route=\"/orders/{id}\",http_response_status_code=\"200\"} 1\n";
    assert!(metrics.contains(counted), "{metrics}");
    let _ = guard.shutdown(Duration::from_secs(5));
    Ok(())
}
