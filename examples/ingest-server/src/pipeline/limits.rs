//! How a request is checked against the limits.

use std::net::IpAddr;

use portcullis_ratelimit::{Category, CheckError, Decision, RateLimitRequest, Tier};

use super::{
    authenticate::Caller,
    rejection::{Rejection, RequestRejection},
    services::Services,
};
use crate::{limits::TIERS, quality::Reason};

/// Charges `cost` to the limits of the caller's tier, or refuses. A batch costs its events, and at
/// most the burst, which would never admit more.
pub(crate) async fn check(
    services: &Services,
    caller: &Caller,
    category: Category,
    cost: usize,
) -> Result<Decision, RequestRejection> {
    let tier = tier(caller);
    let cost = u32::try_from(cost).unwrap_or(u32::MAX);
    let request = RateLimitRequest::new(caller.tenant.as_str(), &tier, &category)
        .with_key(caller.principal.kid().as_str())
        .with_address(caller.address)
        .with_cost_up_to_largest(cost);
    admitted(services.limiter.check(&request).await)
}

/// The tier of a caller's key: one of the few that have limits, so that none has to be allocated.
fn tier(caller: &Caller) -> Tier {
    let name = caller.principal.tier().as_str();
    let known = TIERS.into_iter().find(|tier| tier.as_str() == name);
    known.unwrap_or_else(|| {
        Tier::new(name).expect("a key's tier has the form of a limit's: 1 to 64 of a-z 0-9 - _")
    })
}

/// Checks a request before anything is known of it but where it comes from.
pub(crate) async fn check_address(
    services: &Services,
    address: IpAddr,
) -> Result<(), RequestRejection> {
    admitted(services.limiter.check_address(address).await).map(drop)
}

fn admitted(decision: Result<Decision, CheckError>) -> Result<Decision, RequestRejection> {
    match decision {
        Ok(decision) if decision.is_admitted() => Ok(decision),
        Ok(decision) => Err(RequestRejection::Limited(Box::new(decision))),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "no limit was checked"
            );
            Err(Rejection::plain(Reason::CapacityOverloaded).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tier_of_a_key_is_a_tier_of_a_limit() {
        let mut texts: Vec<String> = (' '..='\u{ff}').map(String::from).collect();
        texts.extend([0, 1, 64, 65].map(|length| "a".repeat(length)));
        for text in texts {
            let (of_key, of_limit) = (
                portcullis_apikey_cache::Tier::new(&text),
                Tier::new(text.as_str()),
            );
            assert_eq!(of_key.is_ok(), of_limit.is_ok(), "{text}");
        }
    }
}
