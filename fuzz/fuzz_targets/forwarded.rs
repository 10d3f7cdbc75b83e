//! Who the client of a connection is, by what its proxies say.

#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::{Corpus, fuzz_target};
use portcullis_ratelimit::address::{ClientNetwork, TrustedProxies};

/// The hops that are looked at.
const MAX_HOPS: usize = 32;

/// A connection through proxies.
struct Connection {
    proxies: TrustedProxies,
    peer: IpAddr,
}

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
    let connection = Connection { proxies, peer };
    let client = connection.client(&lines);
    assert_eq!(client, client.to_canonical(), "IPv4 in the clothes of IPv6");
    let network = ClientNetwork::from(client);
    let again = ClientNetwork::from(network.address());
    assert_eq!(again, network, "a network's own address");

    connection.is_named_by_trusted_hops(&lines, client);
    connection.several_lines_are_one_list(&lines, client);
    connection.nothing_left_of_the_client_is_read(&lines, client);
    connection.what_cannot_be_read_ends_the_walk(&lines);
    connection.one_more_trusted_hop_changes_nothing(&lines, client);
    Corpus::Keep
});

impl Connection {
    fn client(&self, lines: &[&str]) -> IpAddr {
        self.proxies
            .client_address(self.peer, lines.iter().copied())
    }

    fn peer(&self) -> IpAddr {
        self.peer.to_canonical()
    }

    /// The client is the peer, or an entry all of whose right neighbours, and the peer, are trusted.
    fn is_named_by_trusted_hops(&self, lines: &[&str], client: IpAddr) {
        let mut named = client == self.peer();
        let mut is_trusted = self.proxies.trusts(self.peer());
        for entry in entries(lines).take(MAX_HOPS) {
            let address = mentioned(entry);
            named |= is_trusted && address == Some(client);
            is_trusted &= address.is_some_and(|address| self.proxies.trusts(address));
        }
        assert!(named, "{client} is not what trusted hops name");
    }

    /// RFC 9110, 5.3.
    fn several_lines_are_one_list(&self, lines: &[&str], client: IpAddr) {
        assert_eq!(self.client(&[&lines.join(",")]), client, "in one line");
    }

    /// A client can write what it likes, before the proxies do.
    fn nothing_left_of_the_client_is_read(&self, lines: &[&str], client: IpAddr) {
        if self.proxies.trusts(client) {
            return;
        }
        for claimed in ["198.51.100.7", "10.0.0.1", "unknown", "\"", "\\", ""] {
            let lines = [&[claimed], lines].concat();
            assert_eq!(self.client(&lines), client, "a claim is believed");
        }
    }

    fn what_cannot_be_read_ends_the_walk(&self, lines: &[&str]) {
        for unreadable in ["unknown", "_hidden", "256.0.0.1", "[::1", "10.0.0.1 x"] {
            let lines = [lines, &[unreadable]].concat();
            assert_eq!(self.client(&lines), self.peer(), "after {unreadable}");
        }
    }

    fn one_more_trusted_hop_changes_nothing(&self, lines: &[&str], client: IpAddr) {
        if self.proxies.trusts(self.peer) && entries(lines).count() < MAX_HOPS {
            let peer = self.peer.to_string();
            let lines = [lines, &[" , ", &peer]].concat();
            assert_eq!(self.client(&lines), client, "after {peer}");
        }
    }
}

/// From the nearest hop to the farthest; an empty one is none (RFC 9110, 5.6.1).
fn entries<'a>(lines: &'a [&str]) -> impl Iterator<Item = &'a str> {
    let entries = lines.iter().rev().flat_map(|line| line.rsplit(','));
    entries.filter(|entry| !entry.trim().is_empty())
}

/// The address in an entry, whatever stands around it: more than what is to be understood.
fn mentioned(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim().trim_matches('"');
    let address = match entry.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next()?,
        None if entry.matches(':').count() == 1 => entry.split(':').next()?,
        None => entry,
    };
    let address: IpAddr = address.split('%').next()?.parse().ok()?;
    Some(address.to_canonical())
}
