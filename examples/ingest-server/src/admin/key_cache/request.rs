//! What is to be forgotten, as an operator says it.

use portcullis_apikey_cache::{TenantId, feed::Invalidation};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    key: Option<String>,
    tenant: Option<String>,
    all: Option<bool>,
}

const FORM: &str = "send one of {\"key\": kid}, {\"tenant\": name} and {\"all\": true}";

/// # Errors
/// What is wrong with it; no text of the request is repeated.
pub(super) fn read(given: Value) -> Result<Invalidation, String> {
    let Ok(request) = serde_json::from_value(given) else {
        return Err(FORM.to_owned());
    };
    match request {
        Request {
            key: Some(kid),
            tenant: None,
            all: None,
        } => match kid.parse() {
            Ok(kid) => Ok(Invalidation::Key(kid)),
            Err(error) => Err(format!("`key`: {error}")),
        },
        Request {
            key: None,
            tenant: Some(name),
            all: None,
        } => match TenantId::new(&name) {
            Ok(tenant) => Ok(Invalidation::Tenant(tenant)),
            Err(error) => Err(format!("`tenant`: {error}")),
        },
        Request {
            key: None,
            tenant: None,
            all: Some(true),
        } => Ok(Invalidation::All),
        _ => Err(FORM.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_thing_is_named_and_no_other() {
        let tenant = Invalidation::Tenant("acme".parse().unwrap());
        assert_eq!(read(json!({ "tenant": "acme" })), Ok(tenant));
        assert_eq!(read(json!({ "all": true })), Ok(Invalidation::All));
        for wrong in [
            json!({}),
            json!({ "all": false }),
            json!({ "all": "true" }),
            json!({ "all": true, "tenant": "acme" }),
            json!({ "all": true, "key": "canary" }),
            json!({ "keys": "canary" }),
            json!({ "tenant": 1 }),
        ] {
            assert_eq!(read(wrong.clone()), Err(FORM.to_owned()), "{wrong}");
        }
        for (wrong, member) in [
            (json!({ "key": "canary" }), "`key`: "),
            (json!({ "tenant": "" }), "`tenant`: "),
        ] {
            let error = read(wrong).unwrap_err();
            assert!(
                error.starts_with(member) && !error.contains("canary"),
                "{error}"
            );
        }
    }
}
