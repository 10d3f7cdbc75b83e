//! The Redis servers that all processes count limits on.

mod choices;

use std::str::FromStr;

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use self::choices::MAX_NODES;
use super::{
    given::Given, problems::Problems, secrets, setting::Setting, settings, sources::Sources,
};

pub(crate) use self::choices::{Counting, ExpectedNodes, Topology};

/// Limits that are counted for all processes together.
#[derive(Debug, Clone)]
pub(crate) struct SharedLimits {
    /// One server, or some nodes of a cluster. Each may hold a password.
    pub(crate) urls: Vec<SecretString>,
    /// Where the first of them listens.
    pub(crate) endpoint: Endpoint,
    pub(crate) topology: Topology,
    pub(crate) counting: Counting,
    pub(crate) nodes: ExpectedNodes,
}

/// A host and a port, for spans: nothing else of a URL is told to anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
}

const DEFAULT_PORT: u16 = 6379;

/// Settings that say nothing without a URL.
const DEPENDENT: [&Setting; 3] = [
    settings::REDIS_MODE,
    settings::LIMITS_COUNTING,
    settings::LIMITS_NODES,
];

pub(super) fn read(sources: &Sources, problems: &mut Problems) -> Option<SharedLimits> {
    let url = settings::REDIS_URL;
    let topology = chosen(
        sources,
        settings::REDIS_MODE,
        "`single` or `cluster`",
        problems,
    );
    let counting = chosen(
        sources,
        settings::LIMITS_COUNTING,
        "`exact` or `lease`",
        problems,
    );
    let expected = format!("`counted`, or a number from 1 to {MAX_NODES}");
    let nodes = chosen(sources, settings::LIMITS_NODES, &expected, problems);
    if !secrets::is_set(sources, url) {
        for given in DEPENDENT.into_iter().filter_map(|it| sources.given(it)) {
            let message = format!("needs {}, and changes nothing without", url.variable);
            problems.add(&given.origin, message);
        }
        return None;
    }
    let Given { text, origin } = secrets::optional(sources, url, problems)?;
    let topology = topology?;
    // EXPOSE: taken apart, and told of only by what is wrong with it.
    let entries: Vec<&str> = text.expose_secret().split(',').collect();
    if topology == Topology::Single && entries.len() > 1 {
        let cluster = settings::REDIS_MODE.variable;
        let message = format!(
            "names several servers; set {cluster}=cluster if they are one, and write a comma in a password \
             as %2C"
        );
        problems.add(&origin, message);
        return None;
    }
    let mut endpoints = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        match endpoint(entry, topology) {
            Ok(endpoint) => endpoints.push(endpoint),
            Err(wrong) if entries.len() == 1 => problems.add(&origin, wrong),
            Err(wrong) => problems.add(&origin, format!("entry {} {wrong}", index + 1)),
        }
    }
    if endpoints.len() < entries.len() {
        return None;
    }
    Some(SharedLimits {
        urls: entries.into_iter().map(SecretString::from).collect(),
        endpoint: endpoints.into_iter().next()?,
        topology,
        counting: counting?,
        nodes: nodes?,
    })
}

fn chosen<T: FromStr>(
    sources: &Sources,
    setting: &Setting,
    expected: &str,
    problems: &mut Problems,
) -> Option<T> {
    sources.value(setting)?.parse(expected, problems)
}

/// Where a server listens, or what is wrong with its URL.
fn endpoint(text: &str, topology: Topology) -> Result<Endpoint, &'static str> {
    const FORM: &str = "must be `redis://` or, with TLS, `rediss://`, and a host, such as \
                        redis://:PASSWORD@cache.example:6379/0";
    let url = Url::parse(text).map_err(|_| FORM)?;
    let host = url.host_str().filter(|host| !host.is_empty());
    let (Some(host), "redis" | "rediss" | "valkey" | "valkeys") = (host, url.scheme()) else {
        return Err(FORM);
    };
    // What the parser would take away or put in place of it is no part of any URL that was meant.
    if text.contains(|it: char| it.is_whitespace() || it.is_control()) {
        return Err("has a blank in it; write one in a password as %20");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(
            "must be without parameters (`?`) and `#`; in a password write them as %3F and %23",
        );
    }
    if url.port() == Some(0) {
        return Err("must have a port from 1 to 65535");
    }
    if !url.username().is_empty() && url.password().is_none_or(str::is_empty) {
        return Err(
            "names a user and no password; a password alone follows a colon, `redis://:PASSWORD@…`",
        );
    }
    let number = url.path().trim_start_matches('/');
    match number.parse::<u16>() {
        Ok(1..) if topology == Topology::Cluster => {
            return Err(
                "names a database, and a cluster has only the one; leave out what follows the port",
            );
        }
        Ok(_) => {}
        Err(_) if number.is_empty() => {}
        Err(_) => return Err("must end in the number of a database, such as `/0`, or in none"),
    }
    Ok(Endpoint {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: url.port().unwrap_or(DEFAULT_PORT),
    })
}

#[cfg(test)]
mod tests;
