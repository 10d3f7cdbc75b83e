//! Settings that fit, and errors that say what does not and repeat no password.

use std::time::Duration;

use super::{RedisConfigError, RedisMode, RedisStore};

const PASSWORD: &str = "hunter2";

fn error(urls: &[&str], mode: RedisMode) -> RedisConfigError {
    let builder = RedisStore::builder(urls);
    let built = builder.and_then(|builder| builder.mode(mode).build());
    built.expect_err("the settings do not fit")
}

#[test]
fn a_store_is_built_without_a_runtime_or_a_server() {
    for url in [
        "redis://127.0.0.1:1",
        "redis://user:hunter2@redis.example:6379/3",
        "redis://[::1]:6379",
        "unix:///run/redis.sock",
    ] {
        let builder = RedisStore::builder([url]).expect("a URL");
        let builder = builder
            .deadline(Duration::from_millis(5))
            .key_prefix("limits.v2");
        assert!(!format!("{builder:?}").contains(PASSWORD));
        let store = builder.build().expect("settings that fit");
        assert!(!format!("{store:?}").contains(PASSWORD));
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
        "redis://user:%ff@redis.example",
    ] {
        let urls = ["redis://127.0.0.1", url];
        let error = error(&urls, RedisMode::Single);
        assert_eq!(error, RedisConfigError::Url { number: 2 }, "{url}");
        let texts = [error.to_string(), format!("{error:?}")];
        assert!(
            texts.iter().all(|text| !text.contains(PASSWORD)),
            "{texts:?}"
        );
    }
}

#[test]
fn there_is_one_server_or_a_cluster() {
    assert_eq!(error(&[], RedisMode::Single), RedisConfigError::NoUrl);
    let two = ["redis://127.0.0.1", "redis://127.0.0.2"];
    assert_eq!(
        error(&two, RedisMode::Single),
        RedisConfigError::SeveralServers
    );
}

#[cfg(feature = "redis-cluster")]
#[test]
fn the_nodes_of_a_cluster_are_reached_alike() {
    let cluster = |urls: &[&str]| {
        let builder = RedisStore::builder(urls).expect("URLs");
        builder.mode(RedisMode::Cluster).build().map(drop)
    };
    let unlike = Err(RedisConfigError::UnlikeServers);
    assert_eq!(cluster(&["redis://127.0.0.1", "redis://127.0.0.2"]), Ok(()));
    assert_eq!(
        cluster(&["redis://:a@127.0.0.1", "redis://:hunter2@127.0.0.2"]),
        unlike
    );
    assert_eq!(cluster(&["unix:///run/redis.sock"]), unlike);
}

#[test]
fn a_prefix_keeps_keys_in_their_slot() {
    let prefixed = |prefix: &str| {
        let builder = RedisStore::builder(["redis://127.0.0.1"]).expect("a URL");
        builder.key_prefix(prefix).build().map(drop)
    };
    assert_eq!(prefixed("Limits.v2_eu-1"), Ok(()));
    for bad in ["", "a:b", "{a}", "a b", "é"] {
        assert_eq!(prefixed(bad), Err(RedisConfigError::KeyPrefix), "{bad}");
    }
}

#[cfg(feature = "redis-tls")]
#[test]
fn an_encrypted_connection_needs_a_provider_and_a_certificate() {
    // No test of this binary installs one.
    for url in [
        "rediss://redis.example",
        "REDISS://redis.example",
        "valkeys://redis.example",
    ] {
        assert_eq!(
            error(&[url], RedisMode::Single),
            RedisConfigError::NoCryptoProvider,
            "{url}"
        );
    }
    let insecure = error(&["rediss://redis.example/#insecure"], RedisMode::Single);
    assert_eq!(insecure, RedisConfigError::Insecure { number: 1 });
}

#[cfg(not(feature = "redis-tls"))]
#[test]
fn an_encrypted_connection_needs_the_feature() {
    for url in [
        "rediss://redis.example",
        "REDISS://redis.example",
        "valkeys://redis.example",
    ] {
        assert_eq!(
            error(&[url], RedisMode::Single),
            RedisConfigError::NoTls { number: 1 },
            "{url}"
        );
    }
}
