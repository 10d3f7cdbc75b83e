//! The rotations of docs/guidelines/security-privacy.md, each step as it stands there, while servers on one file
//! answer: no request fails and nothing is lost, also where a step stops half way. Hours and days are those of a wall
//! clock that is set ahead, once every server is seen to have followed.

#[path = "server_runbook/host.rs"]
mod host;
#[path = "server_runbook/steps.rs"]
mod steps;
#[path = "server_runbook/traffic.rs"]
mod traffic;

#[path = "server_runbook/admin_token.rs"]
mod admin_token;
#[path = "server_runbook/data_keys.rs"]
mod data_keys;
#[path = "server_runbook/index_root.rs"]
mod index_root;
#[path = "server_runbook/kek.rs"]
mod kek;
#[cfg(all(feature = "aws-kms", feature = "vault"))]
#[path = "server_runbook/kek_providers.rs"]
mod kek_providers;

use std::time::Duration;

use portcullis_keyring::{DATA_KEY_PERIOD, DESTROY_DELAY, KEK_PERIOD};
use portcullis_pii_crypto::index_rotation::PHASE_LASTS;

/// What the page says of time is what the code has.
#[test]
fn the_periods_are_those_of_the_code() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let page = steps::PAGE.split_whitespace().collect::<Vec<_>>().join(" ");
    for (said, of_the_page, of_the_code) in [
        ("| KEK | 1 year", 365 * DAY, KEK_PERIOD),
        ("| data key | 90 days |", 90 * DAY, DATA_KEY_PERIOD),
        ("counts with 90 days", 90 * DAY, DATA_KEY_PERIOD),
        ("when a KEK is a year old", 365 * DAY, KEK_PERIOD),
        ("destroyed after seven days", 7 * DAY, DESTROY_DELAY),
        (
            "seven days later, after a last count",
            7 * DAY,
            DESTROY_DELAY,
        ),
        ("60 seconds for each phase", DAY / 1_440, PHASE_LASTS),
    ] {
        assert!(page.contains(said), "{said}");
        assert_eq!(of_the_page, of_the_code, "{said}");
    }
    // The alarm counts in seconds.
    let alarms = include_str!("../../../../docs/production.md");
    let overdue = format!("keyring_kek_age_seconds > {} ", KEK_PERIOD.as_secs());
    assert!(alarms.contains(&overdue), "{overdue}");
}
