//! URLs that name a Redis server, and those that do not.

use std::{ffi::OsString, num::NonZeroU32};

use super::*;
use crate::config::Flags;

fn sources(pairs: &[(&str, &str)]) -> Sources {
    let environment = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), OsString::from(value)));
    Sources::new(Flags::new(), environment, None)
}

/// What is read, and what is told.
fn told(pairs: &[(&str, &str)]) -> (Option<SharedLimits>, String) {
    let mut problems = Problems::default();
    let shared = read(&sources(pairs), &mut problems);
    (shared, problems.into_error().to_string())
}

#[test]
fn a_url_names_a_host_and_a_port_and_keeps_its_password_to_itself() {
    for (url, host, port) in [
        ("redis://cache", "cache", 6379),
        ("redis://cache:7000/", "cache", 7000),
        (
            "rediss://:canary%2C1@cache.example:7000/3",
            "cache.example",
            7000,
        ),
        ("redis://user:canary1@[::1]:7000", "::1", 7000),
        ("redis://127.0.0.1/0", "127.0.0.1", 6379),
    ] {
        let (shared, problems) = told(&[("INGEST_REDIS_URL", url)]);
        let shared = shared.unwrap_or_else(|| panic!("{url}: {problems}"));
        let endpoint = Endpoint {
            host: host.to_owned(),
            port,
        };
        assert_eq!(shared.endpoint, endpoint);
        assert!(!format!("{shared:?}").contains("canary"), "{shared:?}");
        let defaults = (shared.topology, shared.counting, shared.nodes);
        let expected = (Topology::Single, Counting::Exact, ExpectedNodes::Counted);
        assert_eq!(defaults, expected);
    }
}

#[test]
fn some_nodes_of_a_cluster_are_enough() {
    let (shared, problems) = told(&[
        ("INGEST_REDIS_URL", "redis://a:7000,redis://b:7001/0"),
        ("INGEST_REDIS_MODE", "cluster"),
        ("INGEST_LIMITS_COUNTING", "lease"),
        ("INGEST_LIMITS_NODES", "1000"),
    ]);
    let shared = shared.unwrap_or_else(|| panic!("{problems}"));
    assert_eq!(shared.urls.len(), 2);
    assert_eq!(shared.endpoint.host, "a");
    assert_eq!(shared.topology, Topology::Cluster);
    assert_eq!(shared.counting, Counting::Lease);
    let nodes = NonZeroU32::new(1_000).unwrap();
    assert_eq!(shared.nodes, ExpectedNodes::Fixed(nodes));
}

#[test]
fn one_of_several_urls_is_told_by_its_number() {
    let (shared, problems) = told(&[
        ("INGEST_REDIS_URL", "redis://a,canary://b,redis://c/7"),
        ("INGEST_REDIS_MODE", "cluster"),
    ]);
    assert!(shared.is_none());
    for expected in ["entry 2 must be `redis://`", "entry 3 names a database"] {
        assert!(problems.contains(expected), "{problems}");
    }
    assert!(!problems.contains("canary"), "{problems}");
}

#[test]
fn the_url_of_a_file_is_used_and_two_of_them_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("redis-url");
    std::fs::write(&file, "redis://:canary@cache:7000\n").unwrap();
    let path = file.to_str().unwrap();
    let (shared, problems) = told(&[("INGEST_REDIS_URL_FILE", path)]);
    let shared = shared.unwrap_or_else(|| panic!("{problems}"));
    assert_eq!(shared.endpoint.port, 7000);
    let both = [
        ("INGEST_REDIS_URL_FILE", path),
        ("INGEST_REDIS_URL", "redis://b"),
    ];
    let (shared, problems) = told(&both);
    assert!(shared.is_none());
    assert!(problems.contains("keep one"), "{problems}");
}
