//! Settings that fit, and errors that say what does not and repeat no password.

use super::{RedisBus, RedisBusConfigError, RedisMode};
use crate::pepper::peppers;

const PASSWORD: &str = "hunter2";

fn build(urls: &[&str], mode: RedisMode) -> Result<RedisBus, RedisBusConfigError> {
    let peppers = peppers(&[(1, 1)]).unwrap();
    RedisBus::builder(urls)?.mode(mode).build(&peppers)
}

fn error(urls: &[&str], mode: RedisMode) -> RedisBusConfigError {
    build(urls, mode).expect_err("the settings do not fit")
}

#[test]
fn a_bus_is_built_without_a_runtime_or_a_server() {
    for url in [
        "redis://127.0.0.1:1",
        "redis://user:hunter2@redis.example:6379/3",
        "redis://[::1]:6379",
        "unix:///run/redis.sock",
    ] {
        let builder = RedisBus::builder([url]).unwrap();
        let bus = build(&[url], RedisMode::Single).unwrap();
        let shown = format!("{builder:?} {bus:?}");
        assert!(!shown.contains(PASSWORD), "{shown}");
    }
}

#[test]
fn a_url_that_cannot_be_read_is_told_by_its_number_and_not_repeated() {
    for url in [
        "",
        "hunter2",
        "http://user:hunter2@redis.example",
        "redis://user:hunter2@redis.example:port",
        "redis://user:hunter2@redis.example/hunter2",
        "redis://user:hunter2@",
        "redis://user:hunter2@redis.example:99999",
    ] {
        let error = error(&["redis://127.0.0.1", url], RedisMode::Single);
        assert_eq!(error, RedisBusConfigError::Url { number: 2 }, "{url}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(PASSWORD), "{shown}");
    }
}

#[test]
fn there_is_one_server_or_a_cluster() {
    assert_eq!(error(&[], RedisMode::Single), RedisBusConfigError::NoUrl);
    let two = ["redis://127.0.0.1", "redis://127.0.0.2"];
    let several = RedisBusConfigError::SeveralServers;
    assert_eq!(error(&two, RedisMode::Single), several);
}

#[cfg(feature = "redis-cluster")]
#[test]
fn the_nodes_of_a_cluster_are_reached_alike() {
    let alike = ["redis://127.0.0.1", "redis://127.0.0.2"];
    build(&alike, RedisMode::Cluster).unwrap();
    for urls in [
        &["redis://:a@127.0.0.1", "redis://:hunter2@127.0.0.2"][..],
        &["unix:///run/redis.sock"],
    ] {
        let unlike = RedisBusConfigError::UnlikeServers;
        assert_eq!(error(urls, RedisMode::Cluster), unlike);
    }
}

const ENCRYPTED: [&str; 3] = [
    "rediss://redis.example",
    "REDISS://redis.example",
    "valkeys://redis.example",
];

#[cfg(feature = "redis-tls")]
#[test]
fn an_encrypted_connection_needs_a_provider_and_a_certificate() {
    // No test of this binary installs one.
    for url in ENCRYPTED {
        let error = error(&[url], RedisMode::Single);
        assert_eq!(error, RedisBusConfigError::NoCryptoProvider, "{url}");
    }
    let insecure = error(&["rediss://redis.example/#insecure"], RedisMode::Single);
    assert_eq!(insecure, RedisBusConfigError::Insecure { number: 1 });
}

#[cfg(not(feature = "redis-tls"))]
#[test]
fn an_encrypted_connection_needs_the_feature() {
    for url in ENCRYPTED {
        let error = error(&[url], RedisMode::Single);
        assert_eq!(error, RedisBusConfigError::NoTls { number: 1 }, "{url}");
    }
}
