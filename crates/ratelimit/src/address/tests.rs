//! Who is believed, and what about.

use std::net::IpAddr;

use proptest::prelude::*;

use super::{ClientNetwork, TrustedProxies, TrustedProxyError, hops};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn behind_ten() -> TrustedProxies {
    TrustedProxies::new(["10.0.0.0/8", "fd00::1"]).unwrap()
}

#[test]
fn a_peer_that_is_no_trusted_proxy_is_the_client_whatever_it_claims() {
    let client = behind_ten().client_address(ip("203.0.113.9"), ["198.51.100.7"]);
    assert_eq!(client, ip("203.0.113.9"));
    let client = TrustedProxies::none().client_address(ip("10.0.0.1"), ["198.51.100.7"]);
    assert_eq!(client, ip("10.0.0.1"));
}

#[test]
fn entries_written_by_the_client_itself_are_not_believed() {
    let client = behind_ten().client_address(
        ip("10.0.0.1"),
        ["10.9.9.9, 8.8.8.8", "198.51.100.7", "10.0.0.2"],
    );
    assert_eq!(client, ip("198.51.100.7"));
}

#[test]
fn ports_brackets_and_mapped_addresses_are_understood() {
    let proxies = behind_ten();
    assert_eq!(
        proxies.client_address(ip("10.0.0.1"), ["192.0.2.1:4711"]),
        ip("192.0.2.1")
    );
    assert_eq!(
        proxies.client_address(ip("fd00::1"), ["[2001:db8::5]:80"]),
        ip("2001:db8::5")
    );
    assert_eq!(
        proxies.client_address(ip("::ffff:10.0.0.1"), ["::ffff:192.0.2.1"]),
        ip("192.0.2.1")
    );
}

#[test]
fn an_entry_that_is_no_address_ends_the_walk_at_the_last_good_hop() {
    let proxies = behind_ten();
    assert_eq!(
        proxies.client_address(ip("10.0.0.1"), ["192.0.2.1, unknown"]),
        ip("10.0.0.1")
    );
    assert_eq!(proxies.client_address(ip("10.0.0.1"), [""]), ip("10.0.0.1"));
    assert_eq!(
        proxies.client_address(ip("10.0.0.1"), ["unknown, 192.0.2.1, 10.0.0.2"]),
        ip("192.0.2.1")
    );
    assert_eq!(proxies.client_address(ip("10.0.0.1"), []), ip("10.0.0.1"));
}

#[test]
fn at_most_32_hops_are_walked() {
    let line = vec!["10.0.0.3"; 40].join(",");
    let line = format!("192.0.2.1,{line}");
    assert_eq!(
        behind_ten().client_address(ip("10.0.0.1"), [line.as_str()]),
        ip("10.0.0.3")
    );
}

#[test]
fn one_host_is_one_client_network() {
    let network = |text| ClientNetwork::from(ip(text));
    assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:2"));
    assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
    assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
}

#[test]
fn a_trusted_proxy_must_be_a_network() {
    for (text, error) in [
        ("10.0.0.0/33", TrustedProxyError::NotANetwork),
        ("proxy.internal", TrustedProxyError::NotANetwork),
        ("10.0.0.0/8,::1", TrustedProxyError::NotANetwork),
        ("10.0.0.1:80", TrustedProxyError::NotANetwork),
        ("[::1]", TrustedProxyError::NotANetwork),
        ("fe80::1%eth0", TrustedProxyError::NotANetwork),
        ("", TrustedProxyError::Empty),
        (" ", TrustedProxyError::Empty),
        ("10.0.0.1/8", TrustedProxyError::HostBits),
        ("fd00::1/64", TrustedProxyError::HostBits),
        ("::ffff:127.0.0.1", TrustedProxyError::MappedIpv4),
        ("::ffff:127.0.0.0/104", TrustedProxyError::MappedIpv4),
        ("::ffff:10.0.0.0/128", TrustedProxyError::MappedIpv4),
        ("::ffff:0:0/96", TrustedProxyError::MappedIpv4),
        ("0.0.0.0", TrustedProxyError::NoSource),
        ("0.0.0.0/8", TrustedProxyError::NoSource),
        ("::", TrustedProxyError::NoSource),
        ("224.0.0.0/4", TrustedProxyError::NoSource),
        ("239.1.2.3", TrustedProxyError::NoSource),
        ("255.255.255.255", TrustedProxyError::NoSource),
        ("ff02::1", TrustedProxyError::NoSource),
        ("ff00::/8", TrustedProxyError::NoSource),
        ("0.0.0.0/0", TrustedProxyError::Everyone),
        ("::/0", TrustedProxyError::Everyone),
        ("2000::/3", TrustedProxyError::Everyone),
    ] {
        assert_eq!(TrustedProxies::new([text]), Err(error), "{text}");
    }
    let everyone = Err(TrustedProxyError::Everyone);
    assert_eq!(TrustedProxies::new(["0.0.0.0/1", "128.0.0.0/1"]), everyone);
    assert_eq!(
        TrustedProxies::new(["::/1", "10.0.0.0/8", "8000::/1"]),
        everyone
    );
    for networks in [
        &[][..],
        &["10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/8"],
        &["0.0.0.0/1"],
        &[
            "fc00::/7",
            "::1",
            "127.0.0.1",
            "2001:db8::/32",
            " 192.0.2.1 ",
        ],
    ] {
        assert!(
            TrustedProxies::new(networks.iter().copied()).is_ok(),
            "{networks:?}"
        );
    }
}

#[test]
fn both_fields_are_read_in_every_form_that_they_may_have() {
    let proxies = behind_ten();
    let peer = ip("10.0.0.1");
    let client = ip("2001:db8::5");
    for lines in [
        &["2001:db8::5"][..],
        &["[2001:db8::5]"],
        &["[2001:db8::5]:4711"],
        &["[2001:db8::5]:_port"],
        &["2001:DB8:0::5"],
        &["2001:db8::5%eth0"],
        &["[2001:db8::5%25eth0]:80"],
        &["6.6.6.6, 2001:db8::5"],
        &["6.6.6.6", "\t2001:db8::5 ,, ,10.0.0.2,"],
        &["6.6.6.6", "2001:db8::5", "", " , ", "10.0.0.2"],
        &["2001:db8::5,::ffff:10.0.0.2,10.0.0.3:80"],
    ] {
        let found = proxies.client_address(peer, lines.iter().copied());
        assert_eq!(found, client, "{lines:?}");
    }
    for lines in [
        &["for=\"[2001:db8::5]\""][..],
        &["For=\"[2001:db8::5]:4711\""],
        &["FOR = \"[2001:DB8::5]:_hidden\""],
        &["for=\"\\[2001:db8::\\5]\""],
        &["proto=https;for=\"[2001:db8::5]\";by=10.0.0.1;host=\"a,b;c=\\\"d\""],
        &["for=6.6.6.6, for=\"[2001:db8::5]\""],
        &[
            "for=6.6.6.6",
            "for=\"[2001:db8::5]\";proto=http,, for=10.0.0.2",
        ],
        &[
            "for=\"6.6.6.6",
            "for=\"[2001:db8::5]\"",
            "",
            "for=\"10.0.0.2:80\"",
        ],
        &["for=\"unterminated, for=\"[2001:db8::5]\", for=10.0.0.2"],
        &["x=\\\", for=\"[2001:db8::5]\""],
    ] {
        let found = proxies.client_address_forwarded(peer, lines.iter().copied());
        assert_eq!(found, client, "{lines:?}");
    }
}

#[test]
fn what_names_no_address_ends_the_walk_at_the_last_trusted_hop() {
    let proxies = behind_ten();
    let (peer, last) = (ip("10.0.0.1"), ip("10.0.0.2"));
    for hop in [
        "unknown",
        "_hidden",
        "192.0.2.1:",
        "192.0.2.1:65536",
        "192.0.2.1:+80",
        "192.0.2.1:80:80",
        "192.0.2.1%eth0",
        "192.0.2.01",
        "192.0.2.1/24",
        "192.0.2",
        "[192.0.2.1]",
        "[2001:db8::5",
        "2001:db8::5]",
        "[2001:db8::5]80",
        "[2001:db8::5]:",
        "2001:db8::5%",
        "\"192.0.2.1\"",
        "example.org",
        "192.0.2.1 192.0.2.2",
        "\u{a0}192.0.2.1",
    ] {
        let line = format!("6.6.6.6, {hop}, 10.0.0.2");
        let found = proxies.client_address(peer, [line.as_str()]);
        assert_eq!(found, last, "{line}");
    }
    for element in [
        "for=unknown",
        "for=_hidden",
        "for=\"_hidden:80\"",
        "for=",
        "for",
        "for=\"\"",
        "for=\"192.0.2.1",
        "for=\"192.0.2.1\"x",
        "for=192.0.2.1;for=192.0.2.2",
        "for=192.0.2.1;For=192.0.2.1",
        "by=192.0.2.1",
        "proto=https",
        "192.0.2.1",
        "for=[192.0.2.1]",
        "x for=192.0.2.1",
        "for=192.0.2.1;host=\"a",
        "for=example.org",
    ] {
        let line = format!("for=6.6.6.6, {element}, for=10.0.0.2");
        let found = proxies.client_address_forwarded(peer, [line.as_str()]);
        // A quote that stays open reaches back, over whatever else was written there.
        assert_eq!(found, last, "{line}");
    }
}

/// What a client may write, from the signs that mean something in either field.
fn hostile() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[ ,;=\"\\\\:%_\\[\\]a-f0-9.\t-]{1,4}",
        1 => Just("for=".to_owned()),
        1 => Just("10.0.0.9".to_owned()),
        1 => Just("\"[fd00::1]\"".to_owned()),
        1 => Just("6.6.6.6".to_owned()),
        1 => "\\PC{1,3}",
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// A client sends what it likes, on the line that the proxy appends to or on lines before it.
    #[test]
    fn nothing_that_a_client_writes_changes_its_address(
        lines in prop::collection::vec(hostile(), 0..3),
        joined in any::<bool>(),
        through_two in any::<bool>(),
    ) {
        let proxies = behind_ten();
        let (peer, client) = (ip("10.0.0.1"), ip("203.0.113.9"));
        for (for_, named, next) in [
            (true, "for=203.0.113.9", "for=\"10.0.0.2:80\";proto=http"),
            (true, "proto=https;for=\"203.0.113.9:4711\"", "for=10.0.0.2"),
            (false, "203.0.113.9", "10.0.0.2"),
        ] {
            let mut sent = lines.clone();
            match sent.last_mut() {
                Some(last) if joined => *last = format!("{last}, {named}"),
                _ => sent.push(named.to_owned()),
            }
            if through_two {
                sent.push(next.to_owned());
            }
            let sent_lines = sent.iter().map(String::as_str);
            let found = if for_ {
                proxies.client_address_forwarded(peer, sent_lines)
            } else {
                proxies.client_address(peer, sent_lines)
            };
            prop_assert_eq!(found, client, "{:?}", sent);
        }
    }

    #[test]
    fn no_text_is_read_beyond_what_it_is(lines in prop::collection::vec(any::<Vec<u8>>(), 0..4)) {
        let proxies = behind_ten();
        let lines = || lines.iter().map(Vec::as_slice);
        let peer = ip("10.0.0.1");
        proxies.walk(peer, hops::forwarded(lines()));
        proxies.walk(peer, hops::forwarded_for(lines()));
    }
}
