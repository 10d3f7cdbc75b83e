//! Who the client of a connection is, by what its proxies say.

#![no_main]

use std::net::{IpAddr, SocketAddr};

use libfuzzer_sys::{Corpus, fuzz_target};
use portcullis_ratelimit::address::{ClientNetwork, TrustedProxies};

/// The hops that are looked at.
const MAX_HOPS: usize = 32;

// The first line has the networks of trusted proxies, the second the other end of the connection,
// and each further one is a line of X-Forwarded-For.
fuzz_target!(|input: &[u8]| -> Corpus {
    let Ok(input) = std::str::from_utf8(input) else {
        return Corpus::Reject;
    };
    let mut lines = input.split('\n');
    let networks = lines.next().unwrap_or_default();
    let Some(Ok(peer)) = lines.next().map(str::parse::<IpAddr>) else {
        return Corpus::Reject;
    };
    let lines: Vec<&str> = lines.collect();
    let Ok(proxies) = TrustedProxies::new(networks.split_whitespace()) else {
        return Corpus::Keep;
    };
    let client = proxies.client_address(peer, lines.iter().copied());
    assert_eq!(client, client.to_canonical(), "IPv4 in the clothes of IPv6");
    is_named_by_trusted_hops(&proxies, peer, &lines, client);
    is_the_same_however_it_is_cut(&proxies, peer, &lines, client);
    what_the_client_writes_is_not_read(&proxies, peer, &lines, client);
    let network = ClientNetwork::from(client);
    assert_eq!(
        ClientNetwork::from(network.address()),
        network,
        "a network's own address"
    );
    Corpus::Keep
});

/// The client is the peer, or an entry all of whose right neighbours, and the peer, are trusted.
fn is_named_by_trusted_hops(
    proxies: &TrustedProxies,
    peer: IpAddr,
    lines: &[&str],
    client: IpAddr,
) {
    let mut last = peer.to_canonical();
    let entries = lines.iter().rev().flat_map(|line| line.rsplit(','));
    for entry in entries.take(MAX_HOPS) {
        if !proxies.trusts(last) {
            break;
        }
        match address(entry) {
            Some(address) => last = address,
            None if entry.trim().is_empty() => {}
            None => break,
        }
        if last == client && !proxies.trusts(last) {
            break;
        }
    }
    let named = client == last || (client == peer.to_canonical() && proxies.trusts(client));
    assert!(
        named,
        "{client} is not what trusted hops name, which is {last}"
    );
}

/// Several lines are one list (RFC 9110, 5.3).
fn is_the_same_however_it_is_cut(
    proxies: &TrustedProxies,
    peer: IpAddr,
    lines: &[&str],
    client: IpAddr,
) {
    if lines.len() > 1 {
        let joined = lines.join(",");
        assert_eq!(
            proxies.client_address(peer, [joined.as_str()]),
            client,
            "in one line"
        );
    }
}

/// Nothing to the left of an address that no trusted proxy has is looked at.
fn what_the_client_writes_is_not_read(
    proxies: &TrustedProxies,
    peer: IpAddr,
    lines: &[&str],
    client: IpAddr,
) {
    if proxies.trusts(client) {
        return;
    }
    for claimed in ["198.51.100.7", "10.0.0.1", "unknown", "\"", ""] {
        let lines = [claimed].into_iter().chain(lines.iter().copied());
        let lines: Vec<&str> = lines.collect();
        assert_eq!(
            proxies.client_address(peer, lines),
            client,
            "a claim is believed"
        );
    }
}

fn address(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let bare = entry
        .strip_prefix('[')
        .and_then(|entry| entry.strip_suffix(']'));
    let address = entry
        .parse()
        .or_else(|_| entry.parse::<SocketAddr>().map(|socket| socket.ip()))
        .ok()
        .or_else(|| bare?.parse().ok().map(IpAddr::V6));
    address.map(|address: IpAddr| address.to_canonical())
}
