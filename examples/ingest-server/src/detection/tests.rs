//! Which kinds are looked for, and what is done with them.

use serde_json::json;

use super::*;

fn policies(document: serde_json::Value) -> DetectionPolicies {
    DetectionPolicies::new(read(document).unwrap())
}

fn handlings(detection: &Detection) -> Vec<&'static str> {
    let kinds = Kind::ALL.iter();
    kinds
        .map(|kind| detection.handling(*kind).as_str())
        .collect()
}

#[test]
fn by_default_every_kind_but_ip_addresses_is_rejected() {
    let detection = DetectionPolicies::default().of_tenant("acme");
    for kind in Kind::ALL {
        let expected = match kind {
            Kind::IpAddress => Handling::Off,
            _ => Handling::Reject,
        };
        assert_eq!(detection.handling(*kind), expected, "{kind}");
        let is_looked_for = detection.detector().looks_for(*kind);
        assert_eq!(is_looked_for, expected != Handling::Off, "{kind}");
    }
}

#[test]
fn a_tenant_differs_from_the_default_in_what_is_said_of_it() {
    let policies = policies(json!({
        "default": { "email": "seal", "api_key": "off" },
        "tenant": { "acme": { "email": "reject", "ip_address": "seal" }, "none": {} },
    }));
    let [reject, seal, off] = Handling::ALL.map(Handling::as_str);
    let default = [seal, reject, reject, reject, reject, off, off];
    for tenant in ["none", "unknown", "Acme"] {
        assert_eq!(handlings(&policies.of_tenant(tenant)), default, "{tenant}");
    }
    let acme = policies.of_tenant("acme");
    assert_eq!(
        handlings(&acme),
        [reject, reject, reject, reject, reject, off, seal]
    );
    assert!(acme.detector().looks_for(Kind::IpAddress));
    assert!(!acme.detector().looks_for(Kind::ApiKey));
}

#[test]
fn tenants_that_look_for_the_same_share_a_detector() {
    let policies = policies(json!({ "tenant": {
        "a": { "email": "seal" }, "b": { "phone": "seal" }, "c": { "phone": "off" },
    } }));
    let [a, b, c] = ["a", "b", "c"].map(|tenant| policies.of_tenant(tenant));
    assert!(Arc::ptr_eq(&a.detector, &b.detector));
    assert!(!Arc::ptr_eq(&a.detector, &c.detector));
}

#[test]
fn another_policy_holds_at_once_for_every_clone() {
    let policies = DetectionPolicies::default();
    let clone = policies.clone();
    let all_off = Kind::ALL
        .iter()
        .map(|kind| (kind.as_str().to_owned(), json!("off")));
    let all_off = serde_json::Value::Object(all_off.collect());
    policies.replace(read(json!({ "default": all_off })).unwrap());
    assert!(!clone.of_tenant("acme").is_on());
    policies.replace(DetectionPolicy::default());
    assert!(clone.of_tenant("acme").is_on());
}
