//! Limits as JSON and as TOML, and what is told of those that cannot be used.

use super::*;

fn policies(text: &str) -> Result<Policies, String> {
    GivenLimits::from_text(text.as_bytes()).map(|given| given.policies)
}

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
        let whole = json!({ "policies": described, "source": {}, "limited": [] });
        assert_eq!(of_report(whole).unwrap(), described, "{given}");
        // What is written is what was given.
        let text = write(&given).unwrap();
        assert_eq!(self::policies(&text).unwrap(), policies, "{text}");
        let text = write(&described).unwrap();
        assert_eq!(self::policies(&text).unwrap(), policies, "{text}");
    }
}

#[test]
fn a_name_that_means_nothing_is_refused_with_those_that_do() {
    let rule = json!({ "per-second": 1, "burst": 1 });
    for (given, known) in [
        (json!({ "tiers": {} }), "client-address, tier"),
        (
            json!({ "tier": { "fre": {} } }),
            "free, standard, enterprise, operator",
        ),
        (
            json!({ "tier": { "Free": {} } }),
            "free, standard, enterprise, operator",
        ),
        (
            json!({ "tier": { "gold": { "tenant": rule } } }),
            "free, standard, enterprise, operator",
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
        (
            json!({ "tier": { "operator": { "category": { "read": {} } } } }),
            "known are admin",
        ),
        (
            json!({ "tier": { "operator": { "category": { "admin": { "key": rule } } } } }),
            "known are tenant, address",
        ),
        (
            json!({ "tier": { "free": { "tenant": { "per-second": 1, "bursts": 1 } } } }),
            "burst",
        ),
        (
            json!({ "tier": { "free": { "tenant": { "burst": 1 } } } }),
            "per-second",
        ),
        (json!({ "tier": [] }), "`tier`: must be a table"),
        (json!(null), "must be a table"),
    ] {
        let error = read(given.clone()).unwrap_err().to_string();
        assert!(error.contains(known), "{given}: {error}");
    }
}

#[test]
fn the_limits_of_a_report_are_taken_and_nothing_else_with_them() {
    let report = json!({ "policies": {}, "limit": [] });
    let error = of_report(report).unwrap_err().to_string();
    assert!(error.contains("policies, source, limited"), "{error}");
    assert_eq!(
        of_report(json!({ "tier": {} })).unwrap(),
        json!({ "tier": {} })
    );
}

#[test]
fn the_file_in_the_readme_can_be_used() {
    let readme = include_str!("../../../README.md");
    let mut fences = readme.split("```toml\n").skip(1);
    let file = fences.find(|fence| fence.starts_with("[client-address]"));
    let file = file.and_then(|fence| fence.split("```").next()).unwrap();
    let policies = policies(file).unwrap();
    let described = describe(&policies);
    assert_eq!(
        described["tier"]["operator"]["category"]["admin"]["address"],
        json!({ "per-second": 50, "burst": 100 })
    );
}

#[test]
fn null_is_no_limit() {
    let given = json!({ "client-address": null, "tier": { "free": { "tenant": null } } });
    let none = read(json!({})).unwrap().policies;
    assert_eq!(read(given.clone()).unwrap().policies, none);
    assert_eq!(policies(&write(&given).unwrap()).unwrap(), none);
}

/// An operator who sets them lower could set no others.
#[test]
fn operators_always_have_a_request_a_minute() {
    let admin = |rules: Value| {
        let given = json!({ "tier": { "operator": { "category": { "admin": rules } } } });
        read(given).map(|given| given.policies)
    };
    for rule in [
        json!({ "per-hour": 59, "burst": 10 }),
        json!({ "per-day": 1, "burst": 1 }),
        json!({ "per-second": 0, "burst": 1 }),
        json!({ "per-second": 1, "burst": 0 }),
    ] {
        for scope in ["tenant", "address"] {
            let error = admin(json!({ scope: rule })).unwrap_err().to_string();
            assert!(error.starts_with("`tier.operator"), "{rule}: {error}");
        }
        if rule["burst"] != 0 && rule["per-second"] != 0 {
            let mut shadow = rule.clone();
            shadow["mode"] = json!("shadow");
            admin(json!({ "address": shadow })).unwrap();
        }
    }
    let least = json!({ "address": { "per-hour": 60, "burst": 1 } });
    admin(least).unwrap();
    // A limit of all operators together leaves each address its own.
    let policies = admin(json!({ "tenant": { "per-second": 1, "burst": 1 } })).unwrap();
    let described = describe(&policies);
    assert_eq!(
        described["tier"]["operator"]["category"]["admin"]["address"],
        json!({ "per-second": 20, "burst": 40, "name": "admin" })
    );
}

#[test]
fn a_text_is_refused_with_its_line_and_nothing_of_it_is_repeated() {
    for (text, why) in [
        ("\n[tier\n", "line 2: is not TOML"),
        ("canary = 1", "line 1: there is a member that is not known"),
        ("[tier]\n[tier.canary]\n", "line 2: `tier`: there is a tier"),
        (
            "[tier.free]\ntenant = 1\n",
            "line 2: `tier.free.tenant`: must be a table",
        ),
        (
            "# one\n[tier.free.category.ingest]\nkey = { per-second = 1, burst = 1 }\ncanary = {}\n",
            "line 4: `tier.free.category.ingest`: there is a member of a category that is not known; \
             known are tenant, key, address",
        ),
        (
            "[tier.free.category.ingest.key]\nper-second = 1\nburst = 1\ncanary = 1\n",
            "line 4: `tier.free.category.ingest.key`: there is a member of a limit",
        ),
        (
            "[tier.free.category.ingest]\n\n[tier.free.category.ingest.key]\nper-second = 1\n",
            "line 3: `tier.free.category.ingest.key`: `burst` is missing",
        ),
        (
            "[client-address]\nburst = 1\n",
            "line 1: `client-address`: give exactly one of per-second",
        ),
        (
            "[client-address]\nburst = 1\nper-day = 1\nper-hour = 1",
            "line 1: `client-address`: give exactly one of per-second",
        ),
        (
            "\n\nclient-address.burst = \"canary\"\nclient-address.per-day = 1",
            "line 3: `client-address`: `burst` must be a whole number",
        ),
        (
            "[client-address]\nburst = 1.5\nper-day = 1",
            "line 1: `client-address`: `burst` must be a whole number",
        ),
        (
            "[client-address]\nburst = 1979-05-27\nper-day = 1",
            "line 1: `client-address`: `burst` must be a whole number",
        ),
        (
            "[client-address]\nburst = -1\nper-day = 1",
            "line 1: `client-address`: `burst` must be a whole number",
        ),
        (
            "[client-address]\nburst = 4294967296\nper-day = 1",
            "line 1: `client-address`: `burst` must be a whole number",
        ),
        (
            "[client-address]\nburst = 0\nper-day = 1",
            "line 1: `client-address`: ",
        ),
        (
            "[client-address]\nburst = 1\nper-day = 0",
            "line 1: `client-address`: ",
        ),
        (
            "[tier.free]\ntenant = { per-day = 1, burst = 4000000000 }\n",
            "line 2: `tier.free.tenant`: ",
        ),
        (
            "[client-address]\nburst = 1\nper-day = 1\nmode = \"canary\"",
            "line 1: `client-address`: `mode` must be `enforced` or `shadow`",
        ),
        (
            "[client-address]\nburst = 1\nper-day = 1\nname = \"Canary canary\"",
            "line 1: `client-address`: `name` must be a name of 1 to 64",
        ),
        (
            "[tier.free.category.read]\nkey = { per-day = 1, burst = 1, name = \"x\" }\n\
             tenant = { per-day = 1, burst = 1, name = \"x\" }\n",
            "line 1: `tier.free.category.read`: two limits",
        ),
        (
            "[tier.free]\n[tier.operator.category.admin]\naddress = { per-day = 1, burst = 1 }",
            "line 2: `tier.operator`: operators need at least one request a minute",
        ),
        (
            "tier = {}\ntier = {}\n",
            "line 2: is not TOML: duplicate key",
        ),
        ("canary = \"canary\n", "line 1: is not TOML"),
        ("a = 0canary\n", "line 1: is not TOML"),
        ("a = canary\n", "line 1: is not TOML"),
        ("[[tier]]\n", "line 1: `tier`: must be a table"),
        ("tier = []\n[tier.free]\n", "line 2: is not TOML"),
    ] {
        let error = policies(text).unwrap_err();
        assert!(error.starts_with(why), "{text}\n{error}");
        assert!(!error.to_lowercase().contains("canary"), "{error}");
    }
    let error = GivenLimits::from_text(b"[tier]\n\n\xff").unwrap_err();
    assert_eq!(error, "line 3: is not UTF-8 text");
}
