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
        && listen == admin
        && listen.port() != 0
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
    let networks = || {
        text.split(',')
            .map(str::trim)
            .filter(|network| !network.is_empty())
    };
    let proxies = TrustedProxies::new(networks()).ok();
    if proxies.is_none() {
        let wrong = networks().position(|network| TrustedProxies::new([network]).is_err());
        let entry = wrong.map_or_else(String::new, |index| format!("entry {} ", index + 1));
        problems.add(
            &origin,
            format!("{entry}must be an address or a network, such as 10.0.0.0/8"),
        );
    }
    proxies
}

fn address(
    sources: &Sources,
    setting: &Setting,
    problems: &mut Problems,
) -> Option<(SocketAddr, Origin)> {
    let given = sources.value(setting)?;
    let expected = "an IP address and a port, such as 127.0.0.1:8080 (host names are not resolved)";
    Some((given.parse(expected, problems)?, given.origin))
}

fn is_internal(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}
