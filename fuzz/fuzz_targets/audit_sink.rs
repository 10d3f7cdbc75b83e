//! What an operator writes of the receivers of the audit log: networks, endpoints and webhook secrets, each of one form,
//! and of secrets and paths nothing is shown.

#![no_main]

use std::net::IpAddr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use libfuzzer_sys::{Corpus, fuzz_target};
use portcullis_audit_log::{
    export::{Endpoint, WebhookSecret},
    sink::{AddressPolicy, Network},
};

// An input is a network, a URL or a secret; behind a line end, an address may follow.
fuzz_target!(|input: &[u8]| -> Corpus {
    let Ok(text) = str::from_utf8(input) else {
        return Corpus::Reject;
    };
    let (text, address) = text.split_once('\n').unwrap_or((text, ""));
    if let Ok(network) = text.parse::<Network>() {
        check_network(network, text, address);
    }
    check_endpoint(text);
    check_secret(text);
    Corpus::Keep
});

fn check_network(network: Network, text: &str, address: &str) {
    assert_eq!(Ok(network), network.to_string().parse(), "one network");
    let (first, prefix) = text.split_once('/').expect("it is a network");
    let first: IpAddr = first.parse().expect("it begins with an address");
    assert!(network.contains(first));
    let Ok(address) = address.parse::<IpAddr>() else {
        return;
    };
    // Bit by bit, as nobody would write it.
    let digits = |address: IpAddr| match address.to_canonical() {
        IpAddr::V4(address) => format!("4{:032b}", address.to_bits()),
        IpAddr::V6(address) => format!("6{:0128b}", address.to_bits()),
    };
    let length = 1 + prefix.parse::<usize>().expect("it is a length");
    let is_in = digits(address).get(..length) == digits(first).get(..length);
    assert_eq!(network.contains(address), is_in);
    let (public, allowed) = (
        AddressPolicy::public(),
        AddressPolicy::public().allow(network),
    );
    let is_allowed = public.allows(address) || is_in;
    assert_eq!(allowed.allows(address), is_allowed);
    assert_eq!(allowed.check(&[first, address]).is_ok(), is_allowed);
}

fn check_endpoint(text: &str) {
    let Ok(endpoint) = Endpoint::parse(text) else {
        return;
    };
    assert!(Endpoint::dangerous_cleartext(text).is_ok());
    let uri = endpoint.uri();
    assert_eq!(uri.scheme_str(), Some("https"));
    let authority = uri.authority().expect("it is absolute");
    assert!(!authority.host().is_empty() && !authority.as_str().contains('@'));
    let shown = format!("{endpoint:?}");
    assert_eq!(shown, format!("Endpoint(https://{authority}/…)"));
}

fn check_secret(text: &str) {
    let bytes = text
        .strip_prefix("whsec_")
        .and_then(|base64| STANDARD.decode(base64).ok())
        .filter(|bytes| (24..=64).contains(&bytes.len()));
    let secret = text.parse::<WebhookSecret>();
    assert_eq!(secret.is_ok(), bytes.is_some(), "the documented form");
    if let Ok(secret) = secret {
        assert_eq!(format!("{secret:?}"), "WebhookSecret { .. }");
    }
}
