//! What every route is guarded by, and the bound on requests in flight.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::MatchedPath,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{Request, StatusCode};
use portcullis_telemetry::HttpLayer;

use super::problem::Problem;
use crate::{
    clock::Clock,
    pipeline::{
        self, ClientAddress, RequestsInFlight,
        objectives::{LATENCY, ObjectiveObserver, Slo, Verdict},
        rejection::Rejection,
    },
    quality::Quality,
};

/// What all requests of a listener share.
#[derive(Clone)]
pub(crate) struct Guards {
    in_flight: RequestsInFlight,
    bounds_networks: bool,
    apart: Option<Apart>,
    accounting: Option<EarlyAccounting>,
    objectives: Option<Arc<dyn ObjectiveObserver>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) trace: HttpLayer,
}

/// Requests that are answered also when all others are too many.
#[derive(Debug, Clone)]
struct Apart {
    in_flight: RequestsInFlight,
    is_meant: fn(&Request<Body>) -> bool,
}

/// Accounts for what is rejected here and would have been taken in.
#[derive(Debug, Clone)]
struct EarlyAccounting {
    quality: Quality,
    /// Tells which requests bring records.
    brings_records: fn(&Request<Body>) -> bool,
}

/// A request that will be answered, and since when.
#[derive(Debug)]
pub(super) struct AnswerPromise {
    observer: Arc<dyn ObjectiveObserver>,
    since: Duration,
}

impl Guards {
    /// At most so many requests are worked on at once; more are refused at once.
    pub(crate) const fn new(
        in_flight: RequestsInFlight,
        clock: Arc<dyn Clock>,
        trace: HttpLayer,
    ) -> Self {
        Self {
            in_flight,
            bounds_networks: false,
            apart: None,
            accounting: None,
            objectives: None,
            clock,
            trace,
        }
    }

    /// One client network gets its share of the requests and no more.
    pub(super) fn with_bounded_networks(self) -> Self {
        Self {
            bounds_networks: true,
            ..self
        }
    }

    /// Bounds some requests for themselves, and not with the others.
    pub(super) fn with_apart(
        self,
        in_flight: RequestsInFlight,
        is_meant: fn(&Request<Body>) -> bool,
    ) -> Self {
        let apart = Some(Apart {
            in_flight,
            is_meant,
        });
        Self { apart, ..self }
    }

    fn apart(&self, request: &Request<Body>) -> Option<&Apart> {
        let apart = self.apart.as_ref();
        apart.filter(|apart| (apart.is_meant)(request))
    }

    fn in_flight(&self, request: &Request<Body>) -> &RequestsInFlight {
        let apart = self.apart(request);
        apart.map_or(&self.in_flight, |apart| &apart.in_flight)
    }

    /// Accounts for the requests that are rejected here and bring records.
    pub(super) fn with_accounting(
        self,
        quality: &Quality,
        brings_records: fn(&Request<Body>) -> bool,
    ) -> Self {
        Self {
            accounting: Some(EarlyAccounting {
                quality: quality.clone(),
                brings_records,
            }),
            ..self
        }
    }

    /// Accounts for a request that was refused by its head: what it would have brought is not known,
    /// so that it counts as one record whatever its method.
    pub(super) fn account_for_head(&self, rejection: &Rejection) {
        if let Some(accounting) = &self.accounting {
            pipeline::account_for_rejected(&accounting.quality, rejection);
        }
    }

    /// Each answer of a route is held to what is promised of answers, but of those that are bounded for themselves.
    pub(super) fn with_objectives(self, observer: &Arc<dyn ObjectiveObserver>) -> Self {
        Self {
            objectives: Some(Arc::clone(observer)),
            ..self
        }
    }

    /// What a request is held to from now on, if a route answers it and something is promised here.
    pub(super) fn promise(&self, request: &Request<Body>) -> Option<AnswerPromise> {
        let observer = self.objectives.clone()?;
        request.extensions().get::<MatchedPath>()?;
        if self.apart(request).is_some() {
            return None;
        }
        Some(AnswerPromise {
            observer,
            since: self.clock.monotonic(),
        })
    }

    /// The request was answered.
    pub(super) fn settle(&self, promise: &AnswerPromise, status: StatusCode) {
        let observer = &promise.observer;
        let available = Verdict::good_if(!status.is_server_error());
        observer.decided(Slo::Availability, available, 1);
        if status.is_success() {
            let took = self.clock.monotonic().saturating_sub(promise.since);
            observer.decided(Slo::Latency, Verdict::good_if(took <= LATENCY), 1);
        }
    }

    fn account(&self, request: &Request<Body>, rejection: &Rejection) {
        if let Some(accounting) = &self.accounting
            && (accounting.brings_records)(request)
        {
            pipeline::account_for_rejected(&accounting.quality, rejection);
        }
    }
}

/// Rejects what would be one request too many.
pub(super) async fn admit_request(
    guards: &Guards,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    let address = request.extensions().get::<ClientAddress>().copied();
    let network = address.filter(|_| guards.bounds_networks);
    let permit = guards
        .in_flight(&request)
        .admit(network.map(|ClientAddress(address)| address.into()));
    let permit = match permit {
        Ok(permit) => permit,
        Err(rejection) => {
            guards.account(&request, &rejection);
            return Problem::from(rejection).into_response();
        }
    };
    request.extensions_mut().insert(permit.clone());
    let answer = next.run(request).await;
    drop(permit);
    answer
}
