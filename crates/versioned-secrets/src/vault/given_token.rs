//! A token that was given, and that nobody else renews.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::{Instant, sleep, sleep_until};

use super::{VaultData, VaultError, VaultPath, client::Shared, tokens::now, transport::Request};

/// Why a token is not renewed any more, or never was.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum TokenEnd {
    /// It does not end.
    Never,
    /// It comes from a file, which another program writes.
    OfAFile,
    /// Vault does not renew it any further, and it ends after so long.
    Ends(Duration),
    /// Vault says nothing of it, or does not renew it, for this reason: whether it ends is not known.
    Unknown(VaultError),
}

/// What Vault says of a token.
#[derive(Debug, Clone, Copy)]
struct Lease {
    since: Instant,
    lasts: Duration,
    is_renewable: bool,
}

/// Renews it when two thirds of its time have passed, for as long as that makes it last.
pub(super) async fn keep(token: &SecretString, shared: &Shared) -> TokenEnd {
    let mut lease = match look_up(token, shared).await {
        Ok(Some(lease)) => lease,
        Ok(None) => return TokenEnd::Never,
        Err(error) => return TokenEnd::Unknown(error),
    };
    let mut longest = lease.lasts;
    loop {
        if !lease.is_renewable {
            return TokenEnd::Ends(lease.left());
        }
        sleep_until(lease.since + lease.lasts / 3 * 2).await;
        sleep(SHORTEST_PAUSE).await;
        let renewed = match renew(token, shared, lease).await {
            Ok(renewed) => renewed,
            // Vault may have been away for longer than the token lasts.
            Err(error) if lease.left().is_zero() => return TokenEnd::Unknown(error),
            Err(VaultError::Unavailable(_)) => {
                sleep(TRY_AGAIN).await;
                continue;
            }
            Err(_) => return TokenEnd::Ends(lease.left()),
        };
        // It is near the longest time that Vault allows it: what it gives gets less each time.
        if renewed.lasts < longest / 2 {
            return TokenEnd::Ends(renewed.left());
        }
        longest = longest.max(renewed.lasts);
        lease = renewed;
    }
}

/// Asked until Vault answers: a service may have started before it.
async fn look_up(token: &SecretString, shared: &Shared) -> Result<Option<Lease>, VaultError> {
    let path = VaultPath::new("auth/token/lookup-self").expect("it is a path");
    loop {
        let since = now();
        let answer = shared.transport.send(&path, Request::Read, Some(token));
        match shared.in_time(answer).await {
            Ok(answer) => {
                let data = answer.data.unwrap_or_default();
                return Ok(lease(&data, "ttl", since));
            }
            Err(VaultError::Unavailable(_)) => sleep(LOOK_AGAIN).await,
            Err(error) => return Err(error),
        }
    }
}

async fn renew(token: &SecretString, shared: &Shared, former: Lease) -> Result<Lease, VaultError> {
    let path = VaultPath::new("auth/token/renew-self").expect("it is a path");
    let since = now();
    let answer = shared
        .transport
        .send(&path, Request::Write(&[]), Some(token));
    let auth = shared.in_time(answer).await?.auth.unwrap_or_default();
    Ok(lease(&auth, "lease_duration", since).unwrap_or(former))
}

/// None of a token that does not end.
fn lease(data: &VaultData, lasts: &str, since: Instant) -> Option<Lease> {
    let lasts = Duration::from_secs(data.number(lasts).unwrap_or_default());
    (!lasts.is_zero()).then(|| Lease {
        since,
        lasts,
        is_renewable: data.flag("renewable").unwrap_or_default(),
    })
}

impl Lease {
    fn left(self) -> Duration {
        (self.since + self.lasts).duration_since(now())
    }
}

/// Between two attempts.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const TRY_AGAIN: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_secs(10);
