//! The caller's trace, read from `traceparent`, against the grammar of W3C Trace Context.

#![no_main]

use std::{
    convert::Infallible,
    future::{Ready, ready},
    pin::pin,
    sync::LazyLock,
    task::{Context, Poll, Waker},
};

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use libfuzzer_sys::{Corpus, fuzz_target};
use portcullis_fuzz::message;
use portcullis_telemetry::{
    Environment, Guard, HttpLayer, Logs, Ratio, Sampling, Telemetry, current_trace_id,
};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};
use tracing::dispatcher::{Dispatch, with_default};
use tracing_subscriber::layer::SubscriberExt as _;

struct World {
    layer: HttpLayer,
    dispatch: Dispatch,
    _guard: Guard,
}

static WORLD: LazyLock<World> = LazyLock::new(World::new);

const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

// An input is the value of one `traceparent`, or several header lines.
fuzz_target!(|input: &[u8]| -> Corpus {
    let headers = if input.contains(&b'\n') {
        message::headers(input)
    } else {
        let Ok(value) = HeaderValue::from_bytes(input.trim_ascii()) else {
            return Corpus::Reject;
        };
        HeaderMap::from_iter([(TRACE_PARENT, value)])
    };
    let values: Vec<&HeaderValue> = headers.get_all(TRACE_PARENT).iter().collect();
    // Two of them have no meaning, whatever they say.
    let expected = match values.as_slice() {
        [one] => trace_id(one.as_bytes()),
        _ => None,
    };
    let found = WORLD.trace_of(headers.clone());
    match expected {
        Some(expected) => assert_eq!(found, expected, "a trace of the caller's is not continued"),
        None => {
            // The request has a trace of its own, which is new each time.
            assert_eq!(found.len(), 32);
            for value in values {
                let claimed = String::from_utf8_lossy(value.as_bytes()).to_lowercase();
                assert!(
                    !claimed.contains(&found),
                    "what is no traceparent is continued"
                );
            }
            assert_ne!(found, WORLD.trace_of(headers), "two requests, one trace");
        }
    }
    Corpus::Keep
});

/// The trace id of a value that the grammar allows (W3C Trace Context, level 1, 3.2.2): version 00
/// has nothing behind its flags, and a higher one may have more behind a dash.
fn trace_id(value: &[u8]) -> Option<&str> {
    let (known, rest) = value.split_at_checked(55)?;
    let known = std::str::from_utf8(known).ok()?;
    let mut parts = known.split('-');
    let (version, trace, parent, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |part: &str, len| {
        part.len() == len
            && part
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_zero = |part: &str| part.bytes().all(|byte| byte == b'0');
    let has_grammar = parts.next().is_none()
        && is_hex(version, 2)
        && version != "ff"
        && is_hex(trace, 32)
        && !is_zero(trace)
        && is_hex(parent, 16)
        && !is_zero(parent)
        && is_hex(flags, 2)
        && (rest.is_empty() || (version != "00" && rest.starts_with(b"-")));
    has_grammar.then_some(trace)
}

impl World {
    fn new() -> Self {
        let (telemetry, guard) = Telemetry::builder("fuzz")
            .environment(Environment::empty())
            .sampling(Sampling::head(Ratio::ALL))
            .logs(Logs::Off)
            .layer()
            .expect("nothing is in the way");
        let layer = HttpLayer::new(guard.registry(), |_| None).expect("the first of its registry");
        Self {
            layer,
            dispatch: Dispatch::new(tracing_subscriber::registry().with(telemetry)),
            _guard: guard,
        }
    }

    /// The trace that a request with these headers is part of.
    fn trace_of(&self, headers: HeaderMap) -> String {
        let mut request = Request::new(());
        *request.headers_mut() = headers;
        let service = service_fn(|_| -> Ready<Result<_, Infallible>> {
            let trace = current_trace_id().expect("a request has a trace");
            ready(Ok(Response::new(trace.to_string())))
        });
        let service = ServiceBuilder::new()
            .layer(self.layer.clone())
            .service(service);
        let response = with_default(&self.dispatch, || {
            let response = pin!(service.oneshot(request));
            response.poll(&mut Context::from_waker(Waker::noop()))
        });
        match response {
            Poll::Ready(Ok(response)) => response.into_body(),
            Poll::Pending => unreachable!("the service answers at once"),
        }
    }
}
