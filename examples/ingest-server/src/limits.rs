//! Which limits hold, and how a request is checked against them.

use std::num::NonZeroUsize;

use portcullis_apikey_cache::Tier as KeyTier;
use portcullis_dq_metrics::Reason;
use portcullis_ratelimit::{Category, CheckError, Decision, Request, Tier};

use crate::{
    pipeline::Caller,
    rejection::{Refusal, Rejection},
    services::Services,
};

/// Buckets that are kept at once; keys beyond it share one, so that none escapes its limit.
pub(crate) const MAX_BUCKETS: NonZeroUsize =
    NonZeroUsize::new(200_000).expect("200,000 is not zero");

/// Charges `cost` to the limits of the caller's tier, or refuses. A batch costs its events, and at
/// most the burst, which would never admit more.
pub(crate) async fn check(
    services: &Services,
    caller: &Caller,
    category: Category,
    cost: usize,
) -> Result<Decision, Refusal> {
    let tier = match caller.principal.tier() {
        KeyTier::Free => Tier::FREE,
        KeyTier::Standard => Tier::STANDARD,
        KeyTier::Enterprise => Tier::ENTERPRISE,
    };
    let cost = u32::try_from(cost).unwrap_or(u32::MAX);
    let most = services
        .limiter
        .largest_cost(&tier, &category)
        .unwrap_or(u32::MAX);
    let request = Request::new(caller.tenant.as_str(), &tier, &category)
        .with_key(caller.principal.kid().as_str())
        .with_address(caller.address)
        .with_cost(cost.min(most));
    admitted(services.limiter.check(&request).await)
}

/// Checks a request before anything is known of it but where it comes from.
pub(crate) async fn check_address(
    services: &Services,
    address: std::net::IpAddr,
) -> Result<(), Refusal> {
    admitted(services.limiter.check_address(address).await).map(drop)
}

fn admitted(decision: Result<Decision, CheckError>) -> Result<Decision, Refusal> {
    match decision {
        Ok(decision) if decision.is_admitted() => Ok(decision),
        Ok(decision) => Err(Refusal::Limited(Box::new(decision))),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "no limit was checked"
            );
            Err(Rejection::plain(Reason::CapacityOverloaded).into())
        }
    }
}
