//! The two addresses the service listens on, and whom it believes about a client's.

use std::net::{IpAddr, SocketAddr};

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
    /// Whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: TrustedProxies,
}

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
    let trusted_proxies = proxies(sources, problems);
    Some(Network {
        listen: listen?.0,
        admin_listen: admin_listen?.0,
        trusted_proxies: trusted_proxies?,
    })
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
    Some((given.parse(expected, problems)?, given.origin))
}

fn is_internal(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}
