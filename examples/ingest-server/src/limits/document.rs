//! Limits as an operator writes and reads them: the form that the rate limiter documents for TOML, or
//! the same as JSON, with names that mean something here.

mod check;
mod text;

use portcullis_ratelimit::{
    Category, Tier,
    policy::{Mode, Policies, PoliciesBuilder, PolicyLimit, Scope},
};
use serde_json::{Map, Value, json};

use super::{EVERY_TIER, categories, complete, debt_in};
use crate::{files::FilePolicy, json};

pub(crate) use self::{check::InvalidLimits, text::write};

/// What an operator gave.
#[derive(Debug, Clone)]
pub(crate) struct GivenLimits {
    /// With the defaults in place of what it leaves out.
    pub(crate) policies: Policies,
}

/// The limits that a document of [`describe`]'s reader gives, who may send back the whole report that
/// they are a member of.
///
/// # Errors
/// The report has a member that it never has.
pub(crate) fn of_report(document: Value) -> Result<Value, InvalidLimits> {
    match document {
        Value::Object(mut members) if members.contains_key("policies") => {
            check::report(&members)?;
            Ok(members.remove("policies").unwrap_or_default())
        }
        limits => Ok(limits),
    }
}

/// Reads limits.
///
/// # Errors
/// What is wrong, and where.
pub(crate) fn read(document: Value) -> Result<GivenLimits, InvalidLimits> {
    check::document(&document)?;
    let unusable = |error: &dyn std::error::Error| InvalidLimits::whole(error.to_string());
    let builder: PoliciesBuilder =
        serde_json::from_value(document).map_err(|error| unusable(&error))?;
    let policies = complete(builder).map_err(|error| check::unusable(&error))?;
    check::operators_get_in(&policies)?;
    Ok(GivenLimits { policies })
}

/// Reads limits that were remembered, or the defaults where none were.
///
/// # Errors
/// What is wrong, and where.
pub(crate) fn read_stored(remembered: Option<&str>) -> Result<GivenLimits, InvalidLimits> {
    let Some(text) = remembered else {
        return read(json!({}));
    };
    let document = json::read(text.as_bytes());
    read(document.map_err(|error| InvalidLimits::whole(error.to_string()))?)
}

impl FilePolicy for GivenLimits {
    fn from_text(text: &[u8]) -> Result<Self, String> {
        text::read(text).map_err(|error| error.to_string())
    }
}

/// The limits in force; read again, they are the same.
pub(crate) fn describe(policies: &Policies) -> Value {
    let mut tiers = Map::new();
    for tier in EVERY_TIER {
        let mut rules = Map::new();
        let mut of_tier = Map::new();
        for category in categories(&tier) {
            let mut of_category = Map::new();
            let policy = policies.policy(&tier, category);
            for limit in policy.into_iter().flat_map(|policy| policy.limits()) {
                let default = default_debt(&tier, category, limit.scope());
                let rule = rule(limit, default);
                match limit.scope() {
                    Scope::Tenant => rules.insert("tenant".to_owned(), rule),
                    Scope::Category => of_category.insert("tenant".to_owned(), rule),
                    scope => of_category.insert(scope.to_string(), rule),
                };
            }
            of_tier.insert(category.to_string(), Value::Object(of_category));
        }
        rules.insert("category".to_owned(), Value::Object(of_tier));
        tiers.insert(tier.to_string(), Value::Object(rules));
    }
    let mut document = Map::new();
    for limit in policies.client_address().limits() {
        document.insert("client-address".to_owned(), rule(limit, 0));
    }
    document.insert("tier".to_owned(), Value::Object(tiers));
    Value::Object(document)
}

/// The debt of a limit that gives none: a limit over all categories has the most that one needs.
fn default_debt(tier: &Tier, category: &Category, scope: Scope) -> u32 {
    match scope {
        Scope::Tenant => categories(tier).iter().map(debt_in).max().unwrap_or(0),
        _ => debt_in(category),
    }
}

fn rule(limit: &PolicyLimit, default_debt: u32) -> Value {
    let rate = limit.limit().rate();
    // Nothing but these four can be given.
    let per = match rate.period().as_secs() {
        60 => "per-minute",
        3_600 => "per-hour",
        86_400 => "per-day",
        _ => "per-second",
    };
    let mut rule = Map::new();
    rule.insert(per.to_owned(), json!(rate.tokens()));
    rule.insert("burst".to_owned(), json!(limit.limit().burst()));
    if limit.limit().debt() != default_debt {
        rule.insert("debt".to_owned(), json!(limit.limit().debt()));
    }
    if limit.mode() == Mode::Shadow {
        rule.insert("mode".to_owned(), json!("shadow"));
    }
    if limit.name().as_str() != limit.scope().as_str() {
        rule.insert("name".to_owned(), json!(limit.name().as_str()));
    }
    Value::Object(rule)
}

#[cfg(test)]
mod tests;
