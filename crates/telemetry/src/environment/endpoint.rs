//! URLs that spans can be sent to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[cfg(feature = "otlp-tls")]
const SCHEMES: [&str; 2] = ["http://", "https://"];
#[cfg(feature = "otlp-tls")]
const SCHEME: &str = "an `http://` or `https://` URL";
#[cfg(not(feature = "otlp-tls"))]
const SCHEMES: [&str; 1] = ["http://"];
#[cfg(not(feature = "otlp-tls"))]
const SCHEME: &str = "an `http://` URL (`https://` needs the feature `otlp-tls` of portcullis-telemetry): \
                      let a collector on this host speak TLS to the outside";
const QUERY: &str = "a URL without a query (`?`) or a fragment (`#`)";
const USER: &str = "a URL without user name and password: OTEL_EXPORTER_OTLP_HEADERS takes \
                    credentials";
const HOST: &str = "a URL with a host: a name, an IPv4 address, or an IPv6 address in brackets";
const PORT: &str = "a URL with a port from 1 to 65535, or without one";
const PATH: &str = "a URL of printable ASCII: percent-encode whatever else its path has";

/// An absolute URL that this build reaches, or what it must be instead.
pub(crate) fn collector_url(text: &str) -> Result<String, &'static str> {
    let is_of = |scheme: &&str| {
        let start = text.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    let scheme = SCHEMES.into_iter().find(is_of).ok_or(SCHEME)?;
    let rest = &text[scheme.len()..];
    if rest.contains(['?', '#']) {
        return Err(QUERY);
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err(USER);
    }
    let (host, port) = split_port(authority)?;
    if !is_host(host) {
        return Err(HOST);
    }
    if !port.is_none_or(is_port) {
        return Err(PORT);
    }
    if !is_path(path) {
        return Err(PATH);
    }
    Ok(format!("{scheme}{rest}"))
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), &'static str> {
    let end = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']').ok_or(HOST)? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(end);
    match port.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if port.is_empty() => Ok((host, None)),
        None => Err(HOST),
    }
}

fn is_port(text: &str) -> bool {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number && text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// A name whose last label is a number would be read as an address.
fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        let address = address.trim_end_matches(']').parse::<Ipv6Addr>();
        return address.is_ok_and(|address| can_be_reached(address.into()));
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&label.len()) && label.bytes().all(is_allowed)
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.starts_with(|first: char| first.is_ascii_digit()) {
        let address = host.parse::<Ipv4Addr>();
        return address.is_ok_and(|address| can_be_reached(address.into()));
    }
    name.len() <= 253 && name.split('.').all(is_label)
}

fn can_be_reached(address: IpAddr) -> bool {
    !address.is_multicast() && address != IpAddr::V4(Ipv4Addr::BROADCAST)
}

fn is_path(path: &str) -> bool {
    let bytes = path.as_bytes();
    let is_encoded = |at: usize| {
        let digits = bytes.get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => is_encoded(at),
        byte => byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(byte),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_collectors_are_taken_as_they_are() {
        for url in [
            "http://collector",
            "http://collector:4318/",
            "http://otel_collector.monitoring.svc.cluster.local.:4318/a/%7Eb",
            "http://127.0.0.1:1",
            "http://[::1]:65535/v1/traces",
        ] {
            assert_eq!(collector_url(url).as_deref(), Ok(url));
        }
        assert_eq!(collector_url("HTTP://a:1").as_deref(), Ok("http://a:1"));
        let encrypted = collector_url("https://collector:4318");
        assert_eq!(encrypted.is_ok(), cfg!(feature = "otlp-tls"));
    }

    #[test]
    fn what_no_collector_can_be_reached_at_is_refused_with_the_reason() {
        for (url, expected) in [
            ("", SCHEME),
            ("collector:4318", SCHEME),
            ("grpc://collector", SCHEME),
            ("unix:///run/collector", SCHEME),
            ("http:/collector", SCHEME),
            ("http://", HOST),
            ("http:///v1/traces", HOST),
            ("http://:4318", HOST),
            ("http://collector:0", PORT),
            ("http://collector:", PORT),
            ("http://collector:99999", PORT),
            ("http://collector:+1", PORT),
            ("http://collector:43l8", PORT),
            ("http://::1:4318", HOST),
            ("http://[::1", HOST),
            ("http://[::1]4318", HOST),
            ("http://[fe80::1%25eth0]:1", HOST),
            ("http://[ff02::1]:1", HOST),
            ("http://224.0.0.1", HOST),
            ("http://255.255.255.255", HOST),
            ("http://1.2.3:4318", HOST),
            ("http://0x7f.1", HOST),
            ("http://300.1.1.1", HOST),
            ("http://a..b", HOST),
            ("http://a b", HOST),
            ("http://bücher", HOST),
            ("http://user:word@collector", USER),
            ("http://collector/?token=1", QUERY),
            ("http://collector/#here", QUERY),
            ("http://collector/a b", PATH),
            ("http://collector/%zz", PATH),
            ("http://collector/%4", PATH),
            ("http://collector/\"", PATH),
        ] {
            assert_eq!(collector_url(url), Err(expected), "{url}");
        }
    }
}
