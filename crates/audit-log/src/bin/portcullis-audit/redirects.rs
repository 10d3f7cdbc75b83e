//! Which redirects are followed.

use reqwest::{Url, redirect::Policy};

const MOST: usize = 5;

/// Those within one origin: a log says where it is, and not what else of the network is to be asked.
pub(super) fn policy() -> Policy {
    Policy::custom(|attempt| {
        let is_within = attempt
            .previous()
            .first()
            .is_some_and(|first| origin(first) == origin(attempt.url()));
        if !is_within {
            return attempt.error("a redirect to another host is not followed");
        }
        if attempt.previous().len() > MOST {
            return attempt.error("more than five redirects");
        }
        attempt.follow()
    })
}

fn origin(url: &Url) -> (&str, Option<&str>, Option<u16>) {
    (url.scheme(), url.host_str(), url.port_or_known_default())
}
