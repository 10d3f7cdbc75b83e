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
// and each further one is a line of X-Forwarded-For, or of Forwarded.
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
    connection.both_fields_mean_the_same(&lines, client);
    connection.no_claim_in_forwarded_is_believed(&lines);
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

    /// RFC 7239 says what X-Forwarded-For says, in other words.
    fn both_fields_mean_the_same(&self, lines: &[&str], client: IpAddr) {
        let elements: Option<Vec<String>> = entries(lines).map(element).collect();
        if let Some(mut elements) = elements {
            elements.reverse();
            let elements: Vec<&str> = elements.iter().map(String::as_str).collect();
            assert_eq!(self.client_forwarded(&elements), client, "{elements:?}");
            let by = [&elements[..], &[", by=10.0.0.1;proto=https"]].concat();
            assert_eq!(
                self.client_forwarded(&by),
                self.peer(),
                "an element for nobody"
            );
        }
    }

    /// Whatever the lines are, with quotes that never end too.
    fn no_claim_in_forwarded_is_believed(&self, lines: &[&str]) {
        let client = self.client_forwarded(lines);
        assert_eq!(client, client.to_canonical(), "IPv4 in the clothes of IPv6");
        if !self.proxies.trusts(client) {
            for claimed in [
                "for=198.51.100.7",
                "for=10.0.0.1",
                "for=unknown",
                "for=\"",
                "\\",
                "",
            ] {
                let lines = [&[claimed], lines].concat();
                assert_eq!(self.client_forwarded(&lines), client, "a claim is believed");
            }
        }
        for unreadable in ["for=unknown", "for=_hidden", "proto=https", "for=\"[::1\""] {
            let lines = [lines, &[unreadable]].concat();
            assert_eq!(
                self.client_forwarded(&lines),
                self.peer(),
                "after {unreadable}"
            );
        }
    }

    fn client_forwarded(&self, lines: &[&str]) -> IpAddr {
        self.proxies
            .client_address_forwarded(self.peer, lines.iter().copied())
    }
}

/// What the entry is in `Forwarded`; nothing where the two do not write it alike.
fn element(entry: &str) -> Option<String> {
    let entry = entry.trim_matches([' ', '\t']);
    match entry.parse() {
        Ok(IpAddr::V4(address)) => Some(format!("for={address}")),
        Ok(IpAddr::V6(address)) => Some(format!("FOR=\"[{address}]\";proto=http")),
        Err(_) => {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".:[]_- ".contains(&byte);
            let is_bare = entry.matches(':').count() > 1 && !entry.starts_with('[');
            (entry.bytes().all(is_plain) && !is_bare).then(|| format!("for=\"{entry}\""))
        }
    }
}

/// From the nearest hop to the farthest; an empty one is none (RFC 9110, 5.6.1).
fn entries<'a>(lines: &'a [&str]) -> impl Iterator<Item = &'a str> {
    let entries = lines.iter().rev().flat_map(|line| line.rsplit(','));
    entries.filter(|entry| !entry.trim_matches([' ', '\t']).is_empty())
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
