//! What is wrong with limits that an operator gives, and where. No name or text is repeated that is not
//! known: it may be anything.

mod path;

use std::time::Duration;

use portcullis_ratelimit::{
    Category, Tier,
    policy::{Limit, LimitName, Policies, PolicyError, Rate, Scope},
};
use serde_json::{Map, Value};

use self::path::DocumentPath;
use super::default_debt;
use crate::limits::{EVERY_TIER, OPERATOR, categories};

pub(crate) use self::path::InvalidLimits;

/// The periods that a rate can have, by name.
const PERIODS: [(&str, Duration); 4] = [
    ("per-second", Duration::from_secs(1)),
    ("per-minute", Duration::from_secs(60)),
    ("per-hour", Duration::from_secs(3_600)),
    ("per-day", Duration::from_secs(86_400)),
];

/// What a limit is given by beside its rate.
const BURST: &str = "burst";
const DEBT: &str = "debt";
const MODE: &str = "mode";
const NAME: &str = "name";

/// What the limits of operators must let through: who changes them to less could not change them back.
const OPERATORS_EVERY: Duration = Duration::from_secs(60);

/// Checks the whole of it.
pub(super) fn document(document: &Value) -> Result<(), InvalidLimits> {
    let top = DocumentPath(&[]);
    let members = top.table(document)?;
    top.names(members, "member", &["client-address", "tier"])?;
    let address = members.get("client-address");
    check_rule(DocumentPath(&["client-address"]), address, 0)?;
    let Some(tiers) = members.get("tier") else {
        return Ok(());
    };
    let place = DocumentPath(&["tier"]);
    let tiers = place.table(tiers)?;
    place.names(tiers, "tier", &EVERY_TIER.each_ref().map(Tier::as_str))?;
    for tier in &EVERY_TIER {
        if let Some(rules) = tiers.get(tier.as_str()) {
            check_tier(tier, rules)?;
        }
    }
    Ok(())
}

fn check_tier(tier: &Tier, rules: &Value) -> Result<(), InvalidLimits> {
    let name = tier.as_str();
    let place = DocumentPath(&["tier", name]);
    let members = place.table(rules)?;
    place.names(members, "member of a tier", &["tenant", "category"])?;
    let known = categories(tier);
    let any = known.first().unwrap_or(&Category::INGEST);
    let debt = default_debt(tier, any, Scope::Tenant);
    check_rule(
        DocumentPath(&["tier", name, "tenant"]),
        members.get("tenant"),
        debt,
    )?;
    let Some(of_tier) = members.get("category") else {
        return Ok(());
    };
    let place = DocumentPath(&["tier", name, "category"]);
    let of_tier = place.table(of_tier)?;
    let names: Vec<&str> = known.iter().map(Category::as_str).collect();
    place.names(of_tier, "category", &names)?;
    for category in known {
        if let Some(rules) = of_tier.get(category.as_str()) {
            check_category(tier, category, rules)?;
        }
    }
    Ok(())
}

fn check_category(tier: &Tier, category: &Category, rules: &Value) -> Result<(), InvalidLimits> {
    let (tier_name, name) = (tier.as_str(), category.as_str());
    let place = DocumentPath(&["tier", tier_name, "category", name]);
    let members = place.table(rules)?;
    // An operator has no API key that a limit could count.
    let known: &[&str] = if *tier == OPERATOR {
        &["tenant", "address"]
    } else {
        &["tenant", "key", "address"]
    };
    place.names(members, "member of a category", known)?;
    for scope in known {
        let place = DocumentPath(&["tier", tier_name, "category", name, scope]);
        let debt = default_debt(tier, category, Scope::Category);
        check_rule(place, members.get(*scope), debt)?;
    }
    Ok(())
}

/// Checks the numbers of a limit as well: of what the limiter would say later, the place is not known.
fn check_rule(
    place: DocumentPath<'_>,
    rule: Option<&Value>,
    default_debt: u32,
) -> Result<(), InvalidLimits> {
    let Some(rule) = rule.filter(|rule| !rule.is_null()) else {
        return Ok(());
    };
    let members = place.table(rule)?;
    let mut known = PERIODS.map(|(name, _)| name).to_vec();
    known.extend([BURST, DEBT, MODE, NAME]);
    place.names(members, "member of a limit", &known)?;
    let mut rates = Vec::new();
    for (name, period) in PERIODS {
        let tokens = place.number(members, name)?;
        rates.extend(tokens.map(|tokens| Rate::tokens_per(tokens, period)));
    }
    let [rate] = *rates else {
        let periods = PERIODS.map(|(name, _)| name).join(", ");
        return Err(place.invalid(format!("give exactly one of {periods}")));
    };
    let burst = place.number(members, BURST)?;
    let burst = burst.ok_or_else(|| place.invalid(format!("`{BURST}` is missing")))?;
    let debt = place.number(members, DEBT)?.unwrap_or(default_debt);
    let limit = Limit::new(rate, burst).and_then(|limit| limit.with_debt(debt));
    limit.map_err(|error| place.invalid(error.to_string()))?;
    place.text(members, MODE, "`enforced` or `shadow`", |mode| {
        ["enforced", "shadow"].contains(&mode)
    })?;
    let named = "a name of 1 to 64 characters of a-z, 0-9, `-` and `_`";
    place.text(members, NAME, named, |name| LimitName::new(name).is_ok())
}

/// The members of a whole report.
pub(super) fn report(members: &Map<String, Value>) -> Result<(), InvalidLimits> {
    DocumentPath(&[]).names(members, "member", &["policies", "source", "limited"])
}

/// What only the whole of the limits shows.
pub(super) fn unusable(error: &PolicyError) -> InvalidLimits {
    let label = match error {
        PolicyError::DuplicateName { policy, .. } => policy.split_once('/'),
        _ => None,
    };
    let why = error.to_string();
    match label {
        Some((tier, category)) => DocumentPath(&["tier", tier, "category", category]).invalid(why),
        None => InvalidLimits::whole(why),
    }
}

/// Whether an operator who sets these limits can set others afterwards.
pub(super) fn operators_get_in(policies: &Policies) -> Result<(), InvalidLimits> {
    let limits = policies.policy(&OPERATOR, &Category::ADMIN);
    let mut limits = limits.into_iter().flat_map(|policy| policy.limits());
    let is_too_low = |rate: Rate| {
        let tokens = u64::from(rate.tokens()) * OPERATORS_EVERY.as_secs();
        tokens < rate.period().as_secs()
    };
    if limits.any(|limit| limit.is_enforced() && is_too_low(limit.limit().rate())) {
        let why =
            "operators need at least one request a minute, or nobody could replace the limits";
        return Err(DocumentPath(&["tier", OPERATOR.as_str()]).invalid(why));
    }
    Ok(())
}
