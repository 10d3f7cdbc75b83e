//! The two addresses the service listens on.

use std::net::{IpAddr, SocketAddr};

use portcullis_ratelimit::address::TrustedProxies;

use super::{Profile, Sources, problems::Problems};

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
    let listen = address(sources, "INGEST_LISTEN", "127.0.0.1:8080", problems);
    let admin_listen = address(sources, "INGEST_ADMIN_LISTEN", "127.0.0.1:9090", problems);
    if let (Profile::Production, Some(admin)) = (profile, admin_listen)
        && !is_internal(admin.ip())
    {
        problems.add(
            "INGEST_ADMIN_LISTEN",
            "is open to the world; production takes a loopback or private address",
        );
    }
    if let (Some(listen), Some(admin)) = (listen, admin_listen)
        && listen == admin
        && listen.port() != 0
    {
        problems.add("INGEST_ADMIN_LISTEN", "must differ from INGEST_LISTEN");
    }
    let trusted_proxies = proxies(sources, problems);
    Some(Network {
        listen: listen?,
        admin_listen: admin_listen?,
        trusted_proxies,
    })
}

fn proxies(sources: &Sources, problems: &mut Problems) -> TrustedProxies {
    const VARIABLE: &str = "INGEST_TRUSTED_PROXIES";
    let text = sources.value(VARIABLE).unwrap_or_default();
    let networks = text
        .split(',')
        .map(str::trim)
        .filter(|network| !network.is_empty());
    TrustedProxies::new(networks).unwrap_or_else(|_| {
        problems.add(
            VARIABLE,
            "must be addresses or networks with commas, such as `10.0.0.0/8`",
        );
        TrustedProxies::none()
    })
}

fn address(
    sources: &Sources,
    variable: &str,
    default: &str,
    problems: &mut Problems,
) -> Option<SocketAddr> {
    let text = sources
        .value(variable)
        .unwrap_or_else(|| default.to_owned());
    let parsed = text.parse().ok();
    if parsed.is_none() {
        problems.add(
            variable,
            "is not an address; write for example `127.0.0.1:8080`",
        );
    }
    parsed
}

fn is_internal(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}
