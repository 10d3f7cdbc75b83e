//! Addresses of the internet, and all others.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::super::{AddressPolicy, AddressRefused, InvalidNetwork, Network, is_public};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn private_and_reserved_addresses_are_not_public() {
    for address in [
        // The first and the last of each.
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.0",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.0.0",
        "169.254.169.254",
        "169.254.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.0",
        "192.0.0.170",
        "192.0.0.255",
        "192.0.2.0",
        "192.0.2.255",
        "192.88.99.0",
        "192.88.99.255",
        "192.168.0.0",
        "192.168.255.255",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.0",
        "198.51.100.255",
        "203.0.113.0",
        "203.0.113.255",
        "224.0.0.0",
        "239.255.255.255",
        "240.0.0.0",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:0:7f00:1",
        "100::",
        "64:ff9b:1::1",
        "5f00::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db8::",
        "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        "3fff::",
        "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
        "4000::",
        "1fff:ffff::1",
        "fc00::",
        "fd00:ec2::254",
        "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "fe80::",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff00::",
        "ff02::1",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        // What leads to an IPv4 address.
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2002:c0a8:101::c0a8:101",
        "2a00:1450::5efe:10.0.0.1",
        "2a00:1450::200:5efe:808:808",
    ] {
        assert!(!is_public(ip(address)), "{address}");
    }
}

#[test]
fn what_lies_beside_them_is_public() {
    for address in [
        "1.0.0.0",
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.3.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "2001:200::",
        "2001:4860:4860::8888",
        "2001:db7:ffff::",
        "2001:db9::",
        "2606:4700::1111",
        "2a00:1450::1",
        "3ffe:ffff::1",
        "3fff:1000::",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
    ] {
        assert!(is_public(ip(address)), "{address}");
    }
}

#[test]
fn one_address_that_is_not_allowed_is_enough() {
    let policy = AddressPolicy::public();
    assert_eq!(
        policy.check(&[ip("8.8.8.8"), ip("2606:4700::1111")]),
        Ok(())
    );
    assert_eq!(
        policy.check(&[ip("8.8.8.8"), ip("10.0.0.1")]),
        Err(AddressRefused)
    );
    assert_eq!(policy.check(&[]), Err(AddressRefused));
    let policy = policy
        .allow("10.20.0.0/16".parse().unwrap())
        .allow("fd00:7::/48".parse().unwrap());
    for allowed in [
        "10.20.0.0",
        "10.20.255.255",
        "::ffff:10.20.1.1",
        "fd00:7:0:9::1",
        "8.8.8.8",
    ] {
        assert_eq!(policy.check(&[ip(allowed)]), Ok(()), "{allowed}");
    }
    // Not by a way around.
    for refused in [
        "10.21.0.0",
        "10.19.255.255",
        "fd00:8::1",
        "64:ff9b::10.20.1.1",
        "2002:a14:101::1",
    ] {
        assert_eq!(
            policy.check(&[ip(refused)]),
            Err(AddressRefused),
            "{refused}"
        );
    }
}

#[test]
fn a_network_has_one_spelling() {
    for text in [
        "0.0.0.0/0",
        "10.20.0.0/16",
        "10.20.30.40/32",
        "::/0",
        "fd00:7::/48",
        "fd00:7::1/128",
    ] {
        assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
    }
    for text in [
        "",
        "/",
        "10.20.0.0",
        "10.20.0.0/",
        "10.20.0.0/33",
        "10.20.0.0/016",
        "10.20.0.0/+16",
        "10.20.0.0/ 16",
        "10.20.0.1/16",
        "10.20.0.0/16/16",
        "fd00:7::1/48",
        "fd00::/129",
        "::ffff:10.20.0.0/112",
        "example.com/8",
    ] {
        assert_eq!(text.parse::<Network>(), Err(InvalidNetwork), "{text}");
    }
    let all: Network = "0.0.0.0/0".parse().unwrap();
    assert!(all.contains(ip("10.0.0.1")) && !all.contains(ip("fd00::1")));
}

proptest! {
    #[test]
    fn an_address_in_another_is_judged_as_itself(bits in any::<u32>(), subnet in any::<u64>()) {
        let address = Ipv4Addr::from_bits(bits);
        let public = is_public(address.into());
        let [a, b, c, d] = address.octets().map(u16::from);
        let (high, low) = (a << 8 | b, c << 8 | d);
        let nat64 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low);
        prop_assert_eq!(is_public(address.to_ipv6_mapped().into()), public);
        prop_assert_eq!(is_public(nat64.into()), public);
        let subnet = u128::from(subnet) & !(0xffff_ffff << 32);
        let six_to_four = Ipv6Addr::from_bits(0x2002_u128 << 112 | u128::from(bits) << 80 | subnet);
        prop_assert_eq!(is_public(six_to_four.into()), public);
        // The standard library knows most of them too.
        let is_private = address.is_private() || address.is_loopback() || address.is_link_local()
            || address.is_multicast() || address.is_documentation() || address.is_broadcast();
        prop_assert!(!(is_private && public));
    }

    #[test]
    fn an_ipv6_address_is_public_in_one_eighth_at_most(bits in any::<u128>()) {
        let address = Ipv6Addr::from_bits(bits);
        if is_public(address.into()) {
            prop_assert_eq!(bits >> 125, 1);
        }
    }

    #[test]
    fn no_text_panics(text in "[0-9a-f.:/]{0,40}") {
        if let Ok(network) = text.parse::<Network>() {
            prop_assert_eq!(network.to_string().parse::<Network>(), Ok(network));
        }
    }
}
