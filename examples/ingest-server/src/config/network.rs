//! The two addresses the service listens on, and whom it believes about a client's.

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU16,
    time::Duration,
};

use portcullis_ratelimit::address::TrustedProxies;

use super::{
    given::Given, origin::Origin, problems::Problems, profile::Profile, setting::Setting, settings,
    sources::Sources,
};

/// Listening addresses. Port 0 lets the system choose; the log names what it chose.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub(crate) listen: SocketAddr,
    pub(crate) admin_listen: SocketAddr,
    /// Connections of the public listener at once.
    pub(crate) max_connections: NonZeroU16,
    /// Whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: TrustedProxies,
    /// How long a connection may be idle.
    pub(crate) keep_alive: Duration,
}

/// The longest that a connection may be idle: a day.
const MAX_KEEP_ALIVE: u64 = 24 * 60 * 60;

pub(super) fn read(
    sources: &Sources,
    profile: Profile,
    problems: &mut Problems,
) -> Option<Network> {
    let listen = address(sources, settings::LISTEN, problems);
    let admin_listen = address(sources, settings::ADMIN_LISTEN, problems);
    if let (Profile::Production, Some((admin, origin))) = (profile, &admin_listen)
        && !is_internal(admin.ip())
    {
        problems.add(
            origin,
            "is open to the world; production takes a loopback or private address",
        );
    }
    if let (Some((listen, other)), Some((admin, origin))) = (&listen, &admin_listen)
        && overlap(*listen, *admin)
    {
        problems.add(origin, format!("must differ from {other}"));
    }
    let max_connections = sources
        .value(settings::MAX_CONNECTIONS)
        .and_then(|given| given.parse("a number from 1 to 65535", problems));
    let trusted_proxies = proxies(sources, problems);
    let keep_alive = keep_alive(sources, problems);
    Some(Network {
        listen: listen?.0,
        admin_listen: admin_listen?.0,
        max_connections: max_connections?,
        trusted_proxies: trusted_proxies?,
        keep_alive: keep_alive?,
    })
}

fn keep_alive(sources: &Sources, problems: &mut Problems) -> Option<Duration> {
    let given = sources.value(settings::KEEP_ALIVE)?;
    let expected = format!("a whole number of seconds, 1 to {MAX_KEEP_ALIVE}");
    let seconds: u64 = given.parse(&expected, problems)?;
    if (1..=MAX_KEEP_ALIVE).contains(&seconds) {
        return Some(Duration::from_secs(seconds));
    }
    problems.add(&given.origin, format!("must be {expected}"));
    None
}

fn proxies(sources: &Sources, problems: &mut Problems) -> Option<TrustedProxies> {
    let Some(Given { text, origin }) = sources.value(settings::TRUSTED_PROXIES) else {
        return Some(TrustedProxies::none());
    };
    if text.trim().is_empty() {
        return Some(TrustedProxies::none());
    }
    let error = match TrustedProxies::new(text.split(',')) {
        Ok(proxies) => return Some(proxies),
        Err(error) => error,
    };
    let mut wrong = false;
    for (index, network) in text.split(',').enumerate() {
        if let Err(error) = TrustedProxies::new([network]) {
            wrong = true;
            problems.add(&origin, format!("entry {} {error}", index + 1));
        }
    }
    if !wrong {
        problems.add(&origin, error.to_string());
    }
    None
}

fn address(
    sources: &Sources,
    setting: &Setting,
    problems: &mut Problems,
) -> Option<(SocketAddr, Origin)> {
    let given = sources.value(setting)?;
    let expected = "an IP address and a port, such as 127.0.0.1:8080 (host names are not resolved)";
    let address: SocketAddr = given.parse(expected, problems)?;
    if let Some(message) = unreachable(address) {
        problems.add(&given.origin, message);
        return None;
    }
    Some((address, given.origin))
}

/// Why nobody could listen on an address, or be reached there.
fn unreachable(address: SocketAddr) -> Option<&'static str> {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => None,
        SocketAddr::V4(v4) if v4.ip().octets()[0] == 0 || v4.ip().octets()[0] >= 240 => {
            Some("is an address that no machine has")
        }
        _ if address.ip().is_multicast() => Some("is a multicast address; nobody connects to one"),
        SocketAddr::V6(v6) if v6.ip().is_unicast_link_local() && v6.scope_id() == 0 => {
            Some("is a link-local address; say on which interface, such as [fe80::1%2]:8080")
        }
        _ => None,
    }
}

/// Whether the second cannot be bound beside the first.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let (ip, other_ip) = (one.ip().to_canonical(), other.ip().to_canonical());
    let takes_all =
        |ip: IpAddr, other: IpAddr| ip.is_unspecified() && (ip.is_ipv6() || other.is_ipv4());
    let is_same = ip == other_ip || takes_all(ip, other_ip) || takes_all(other_ip, ip);
    is_same && one.port() == other.port() && one.port() != 0
}

fn is_internal(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}
