//! How a request is checked against the limits.

mod charge;

use std::net::IpAddr;

use http::HeaderMap;
use portcullis_audit_log::event::Code;
use portcullis_ratelimit::{Admitted, CheckError, Decision, RateLimitRequest, Tier};

use super::{
    authenticate::Caller,
    limit_span::in_span,
    rejection::{Rejection, RequestRejection},
    services::Services,
};
use crate::{
    audit::{AuditActor, AuditDraft, Peer, actions::REQUEST},
    limits::{Limiters, SEARCH, TIERS},
    quality::Reason,
};

pub(super) use self::charge::Charge;

/// Takes one token of the limits of the caller's tier, or refuses.
pub(super) async fn charge_first(
    services: &Services,
    caller: &Caller,
    charge: Charge,
) -> Result<Admitted, RequestRejection> {
    let tier = tier(caller);
    let request = request(caller, &tier, &charge);
    let check = services.limiter.check(&request);
    let admitted = in_span(charge.name, 1, check, admitted).await;
    note_limited(services, caller, &charge, &admitted);
    admitted
}

/// Takes what a request that was admitted costs beyond what it has taken, or refuses. Its first
/// charge is kept then.
pub(super) async fn charge_rest(
    services: &Services,
    caller: &Caller,
    first: &Admitted,
    whole_cost: u32,
    charge: Charge,
) -> Result<Admitted, RequestRejection> {
    let tier = tier(caller);
    let rest = whole_cost.saturating_sub(first.taken());
    let request = request(caller, &tier, &charge).with_cost(rest);
    let check = first.charge_more(&services.limiter, &request);
    let admitted = in_span(charge.name, rest, check, admitted).await;
    note_limited(services, caller, &charge, &admitted);
    admitted
}

/// Notes that a limit had no room. A search that is a guess is noted as one by who charges for it.
fn note_limited(
    services: &Services,
    caller: &Caller,
    charge: &Charge,
    admitted: &Result<Admitted, RequestRejection>,
) {
    if charge.category != SEARCH && matches!(admitted, Err(RequestRejection::Limited(_))) {
        services.audit.note(caller.draft(REQUEST).denied(LIMITED));
    }
}

/// Why it was refused, as the audit log names it.
const LIMITED: Code = Code::new("limited");

/// Takes one token for each of so many questions, as long as there are any. Gives how many were admitted.
pub(super) async fn charge_each(
    services: &Services,
    caller: &Caller,
    charge: Charge,
    questions: usize,
) -> u64 {
    let tier = tier(caller);
    let request = request(caller, &tier, &charge);
    let mut room = 0;
    let Some(last) = questions.checked_sub(1) else {
        return room;
    };
    let check = async {
        for _ in 0..last {
            let decision = services.limiter.check(&request).await?;
            if !decision.is_admitted() {
                return Ok(decision);
            }
            room += 1;
        }
        services.limiter.check(&request).await
    };
    let cost = u32::try_from(questions).unwrap_or(u32::MAX);
    let answered = in_span(charge.name, cost, check, admitted).await;
    room + u64::from(answered.is_ok())
}

fn request<'a>(caller: &'a Caller, tier: &'a Tier, charge: &'a Charge) -> RateLimitRequest<'a> {
    let request = RateLimitRequest::new(caller.tenant.as_str(), tier, &charge.category)
        .with_key(caller.principal.kid().as_str())
        .with_address(caller.address);
    if charge.is_last() {
        request
    } else {
        request.more_to_come()
    }
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
    headers: &HeaderMap,
) -> Result<(), RequestRejection> {
    let check = services.limiter.check_address(address);
    let admitted = in_span("limit_address", 1, check, admitted).await;
    if matches!(admitted, Err(RequestRejection::Limited(_))) {
        let draft = AuditDraft::new(None, REQUEST, AuditActor::Anonymous);
        services.audit.note(AuditDraft {
            peer: Some(Peer::of_request(address, headers)),
            ..draft.denied(LIMITED)
        });
    }
    admitted.map(drop)
}

/// Checks a request of an operator, who is known by the address alone.
pub(crate) async fn check_operator(
    limiters: &Limiters,
    address: IpAddr,
) -> Result<Admitted, RequestRejection> {
    let check = limiters.check_operator(address);
    in_span("limit_operator", 1, check, admitted).await
}

fn admitted(decision: Result<Decision, CheckError>) -> Result<Admitted, RequestRejection> {
    match decision {
        Ok(Decision::Admitted(admitted)) => Ok(admitted),
        Ok(refused) => Err(RequestRejection::Limited(Box::new(refused))),
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
