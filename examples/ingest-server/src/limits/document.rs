//! Limits as an operator writes and reads them: the form that the rate limiter documents for TOML, as
//! JSON, with names that mean something here.

use portcullis_ratelimit::{
    Category,
    policy::{Mode, Policies, PoliciesBuilder, PolicyLimit, Scope},
};
use serde_json::{Map, Value, json};

use super::{CATEGORIES, TIERS, complete};

/// Why limits cannot be used; the text says where and what is known there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct InvalidLimits(String);

/// What an operator gave.
#[derive(Debug, Clone)]
pub(crate) struct GivenLimits {
    /// As it was given, to be remembered.
    pub(crate) text: String,
    pub(crate) builder: PoliciesBuilder,
    /// With the defaults in place of what it leaves out.
    pub(crate) policies: Policies,
}

/// Reads limits: those of a document, or of the member `policies` of one that [`describe`]'s reader
/// sends back whole.
pub(crate) fn read(document: Value) -> Result<GivenLimits, InvalidLimits> {
    let given = match document {
        Value::Object(mut members) if members.contains_key("policies") => {
            check_names(&members, "member", ["policies", "limited"])?;
            members.remove("policies").unwrap_or_default()
        }
        given => given,
    };
    let Value::Object(members) = &given else {
        return Err(InvalidLimits(
            "the policies must be a JSON object".to_owned(),
        ));
    };
    check_names(members, "member", ["client-address", "tier"])?;
    let tiers = members.get("tier").and_then(Value::as_object);
    for (tier, rules) in tiers.into_iter().flatten() {
        check_name(tier, "tier", TIERS.each_ref().map(|tier| tier.as_str()))?;
        if let Some(rules) = rules.as_object() {
            check_names(rules, "member of a tier", ["tenant", "category"])?;
        }
        let categories = rules.get("category").and_then(Value::as_object);
        for (category, rules) in categories.into_iter().flatten() {
            check_name(
                category,
                "category",
                CATEGORIES.each_ref().map(Category::as_str),
            )?;
            if let Some(rules) = rules.as_object() {
                check_names(rules, "member of a category", ["tenant", "key", "address"])?;
            }
        }
    }
    let text = given.to_string();
    let unusable = |error: &dyn std::error::Error| {
        InvalidLimits(format!("the policies cannot be used: {error}"))
    };
    let builder: PoliciesBuilder =
        serde_json::from_value(given).map_err(|error| unusable(&error))?;
    let policies = complete(builder.clone()).map_err(|error| unusable(&error))?;
    Ok(GivenLimits {
        text,
        builder,
        policies,
    })
}

/// The limits in force; read again, they are the same.
pub(crate) fn describe(policies: &Policies) -> Value {
    let mut tiers = Map::new();
    for tier in TIERS {
        let mut rules = Map::new();
        let mut categories = Map::new();
        for category in CATEGORIES {
            let mut of_category = Map::new();
            let policy = policies.policy(&tier, &category);
            for limit in policy.into_iter().flat_map(|policy| policy.limits()) {
                match limit.scope() {
                    Scope::Tenant => rules.insert("tenant".to_owned(), rule(limit)),
                    Scope::Category => of_category.insert("tenant".to_owned(), rule(limit)),
                    scope => of_category.insert(scope.to_string(), rule(limit)),
                };
            }
            categories.insert(category.to_string(), Value::Object(of_category));
        }
        rules.insert("category".to_owned(), Value::Object(categories));
        tiers.insert(tier.to_string(), Value::Object(rules));
    }
    let mut document = Map::new();
    for limit in policies.client_address().limits() {
        document.insert("client-address".to_owned(), rule(limit));
    }
    document.insert("tier".to_owned(), Value::Object(tiers));
    Value::Object(document)
}

fn rule(limit: &PolicyLimit) -> Value {
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
    if limit.mode() == Mode::Shadow {
        rule.insert("mode".to_owned(), json!("shadow"));
    }
    if limit.name().as_str() != limit.scope().as_str() {
        rule.insert("name".to_owned(), json!(limit.name().as_str()));
    }
    Value::Object(rule)
}

fn check_names<const N: usize>(
    members: &Map<String, Value>,
    what: &str,
    known: [&str; N],
) -> Result<(), InvalidLimits> {
    let mut names = members.keys();
    names.try_for_each(|name| check_name(name, what, known))
}

/// The name itself is not repeated: it may be anything.
fn check_name<const N: usize>(
    name: &str,
    what: &str,
    known: [&str; N],
) -> Result<(), InvalidLimits> {
    if known.contains(&name) {
        return Ok(());
    }
    let known = known.join(", ");
    Err(InvalidLimits(format!(
        "there is a {what} that is not known; known are {known}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_described_reads_back_as_the_same() {
        let given = [
            json!({}),
            json!({ "client-address": { "per-hour": 7, "burst": 3 } }),
            json!({ "tier": { "free": { "tenant": { "per-day": 12, "burst": 25 } } } }),
            json!({ "tier": { "standard": { "category": { "ingest": {
                "tenant": { "per-second": 10, "burst": 20 },
                "key": { "per-minute": 300, "burst": 10, "name": "burst" },
                "address": { "per-hour": 900, "burst": 10, "mode": "shadow" },
            }, "read": { "key": { "per-second": 1, "burst": 1 } } } } } }),
            json!({ "tier": { "free": { "category": { "search": {
                "tenant": { "per-hour": 200, "burst": 100 },
                "key": { "per-hour": 20, "burst": 10, "name": "guesses" },
            } } } } }),
        ];
        for given in given {
            let policies = read(given.clone()).unwrap().policies;
            let described = describe(&policies);
            assert_eq!(
                read(described.clone()).unwrap().policies,
                policies,
                "{given}"
            );
            let whole = json!({ "policies": described, "limited": [] });
            assert_eq!(read(whole).unwrap().policies, policies, "{given}");
        }
    }

    #[test]
    fn a_name_that_means_nothing_is_refused_with_those_that_do() {
        let rule = json!({ "per-second": 1, "burst": 1 });
        for (given, known) in [
            (json!({ "tiers": {} }), "client-address, tier"),
            (
                json!({ "tier": { "fre": {} } }),
                "free, standard, enterprise",
            ),
            (
                json!({ "tier": { "Free": {} } }),
                "free, standard, enterprise",
            ),
            (
                json!({ "tier": { "gold": { "tenant": rule } } }),
                "free, standard, enterprise",
            ),
            (
                json!({ "tier": { "free": { "category": { "injest": {} } } } }),
                "ingest, read, search",
            ),
            (
                json!({ "tier": { "free": { "category": { "admin": {} } } } }),
                "ingest, read, search",
            ),
            (
                json!({ "tier": { "free": { "categories": {} } } }),
                "tenant, category",
            ),
            (
                json!({ "tier": { "free": { "category": { "read": { "keys": rule } } } } }),
                "tenant, key, address",
            ),
            (json!({ "policies": {}, "limit": [] }), "policies, limited"),
            (
                json!({ "tier": { "free": { "tenant": { "per-second": 1, "bursts": 1 } } } }),
                "burst",
            ),
            (
                json!({ "tier": { "free": { "tenant": { "burst": 1 } } } }),
                "per-second",
            ),
            (json!({ "tier": [] }), "cannot be used"),
            (json!({ "policies": null }), "must be a JSON object"),
        ] {
            let error = read(given.clone()).unwrap_err().to_string();
            assert!(error.contains(known), "{given}: {error}");
        }
    }
}
