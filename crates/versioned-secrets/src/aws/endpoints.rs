//! Where services are called: nowhere unencrypted but on this machine.

use std::net::IpAddr;

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

/// An endpoint, of all services or of one that is called here, to which keys would be sent in the clear.
pub(super) fn unencrypted(config: &SdkConfig) -> Option<String> {
    let of_all = config.endpoint_url().map(str::to_owned);
    let of_one = SERVICES.into_iter().filter_map(|id| of_service(config, id));
    of_all
        .into_iter()
        .chain(of_one)
        .find(|url| !is_private(url))
}

/// The endpoint of one service, if the environment or the profile names it: a client takes it in the place of
/// that of all services.
fn of_service(config: &SdkConfig, id: &str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(id)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .expect("it has all three");
    config.service_config()?.load_config(key)
}

/// Whether nobody on a network reads what is sent there.
fn is_private(url: &str) -> bool {
    if url.starts_with("https://") {
        return true;
    }
    let Some(rest) = url.strip_prefix("http://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        _ => authority,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = |address: IpAddr| address.is_loopback();
    host == "localhost" || host.parse().is_ok_and(is_loopback)
}

/// By the ids that the clients of the SDK have: STS is asked for credentials with a token.
const SERVICES: [&str; 3] = ["KMS", "Secrets Manager", "STS"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_taken_on_this_machine_alone() {
        for url in [
            "https://kms.eu-west-1.amazonaws.com",
            "http://127.0.0.1:5000",
            "http://127.0.0.1:5000/path",
            "http://[::1]:5000",
            "http://localhost",
        ] {
            assert!(is_private(url), "{url}");
        }
        for url in [
            "http://kms.eu-west-1.amazonaws.com",
            "http://10.0.0.1:5000",
            "http://localhost.example.com",
            "http://localhost@example.com",
            "http://127.0.0.1:80@example.com",
            "http://example.com/127.0.0.1",
            "ftp://127.0.0.1",
            "127.0.0.1:5000",
            "",
        ] {
            assert!(!is_private(url), "{url}");
        }
    }
}
