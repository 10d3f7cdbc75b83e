//! Addresses of the network that are found, each beside one that is left alone.

use crate::{detector::Detector, kind::Kind, rules::tests::check};

#[test]
fn addresses_are_found_where_they_are_looked_for() {
    check(
        Kind::IpAddress,
        &[
            "«192.0.2.1»",
            "from «192.0.2.1».",
            "http://«192.0.2.1»:8080/",
            "[«2001:db8::8a2e:370:7334»]:443",
            "«2001:db8::1»: connection refused",
            "«::1»",
            "«fe80::1»%eth0",
            "«::ffff:192.0.2.1»",
            "client=«10.0.0.1»,",
            r#"{"ip":"«2001:db8:0:0:0:0:0:1»"}"#,
        ],
    );
    let standard = Detector::standard();
    assert_eq!(standard.first_kind("192.0.2.1 2001:db8::1"), None);
}

#[test]
fn look_alikes_are_left_alone() {
    check(
        Kind::IpAddress,
        &[
            "v1.2.3.4",
            "version 1.2.3.4",
            "version=1.2.3.4",
            "Chrome/120.0.0.0",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.256",
            "01.2.3.4",
            "1.2.3.4-beta",
            "std::env::args",
            "a::b",
            "::",
            "12:34:56",
            "00:1a:2b:3c:4d:5e",
            "1:2:3:4:5:6:7",
        ],
    );
}
