//! The token that requests carry: given, read from a file that changes, or from a login that is renewed.

use std::{fs, path::Path, path::PathBuf, sync::Arc, time::Duration, time::SystemTime};

use secrecy::{ExposeSecret as _, SecretString};
use tokio::{sync::Mutex, time::Instant};
use zeroize::Zeroizing;

use super::{
    AppRole, VaultData, VaultError, VaultOutage, VaultPath,
    transport::{Request, Transport},
};

/// Where tokens come from.
#[derive(Debug, Clone)]
pub(super) enum Credential {
    Token(SecretString),
    TokenFile(PathBuf),
    AppRole(AppRole),
}

/// The token of now.
#[derive(Debug)]
pub(super) struct Tokens {
    credential: Credential,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    token: Option<Arc<SecretString>>,
    // Of a token file: when it was written and how long it is.
    stamp: Option<(SystemTime, u64)>,
    login: Option<Login>,
    lease: Option<Lease>,
    // What became of the last login that failed. Who waited for it has its answer.
    failed: Option<(Instant, VaultError)>,
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    since: Instant,
    lasts: Duration,
    renewable: bool,
    // How long it lasted when it was new: a renewal that gives much less says that its end is near.
    at_login: Duration,
}

/// What the token is from, whether it has a lease or not.
#[derive(Debug, Clone, Copy)]
struct Login {
    at: Instant,
    why: Why,
}

/// What a login is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// There is no token, or it is at its end.
    Needed,
    /// Vault denies the former one.
    Denied,
}

impl Tokens {
    pub(super) fn new(credential: Credential) -> Self {
        Self {
            credential,
            held: Mutex::default(),
        }
    }

    /// The token to use. One login or renewal for all who ask at once.
    pub(super) async fn current(
        &self,
        transport: &Transport,
    ) -> Result<Arc<SecretString>, VaultError> {
        let held = &mut *self.held.lock().await;
        match &self.credential {
            Credential::Token(token) => {
                let token = held.token.get_or_insert_with(|| Arc::new(token.clone()));
                Ok(Arc::clone(token))
            }
            Credential::TokenFile(path) => held.read_again(path),
            Credential::AppRole(role) => {
                // A lease that there is not does not end.
                let is_due = held.lease.is_some_and(|lease| lease.is_due(now()));
                match &held.token {
                    Some(token) if !is_due => Ok(Arc::clone(token)),
                    _ => held.renew_or_log_in(role, transport).await,
                }
            }
        }
    }

    /// Another token than one that Vault denies, if there is one.
    pub(super) async fn instead_of(
        &self,
        denied: &Arc<SecretString>,
        transport: &Transport,
    ) -> Result<Option<Arc<SecretString>>, VaultError> {
        let held = &mut *self.held.lock().await;
        let another = match &self.credential {
            Credential::Token(_) => return Ok(None),
            Credential::TokenFile(path) => {
                held.stamp = None;
                held.read_again(path)?
            }
            Credential::AppRole(role) => match (&held.token, held.login) {
                (Some(token), _) if !Arc::ptr_eq(token, denied) => Arc::clone(token),
                // A new login would be denied just the same: it is the policy.
                (_, Some(login)) if !login.may_be_repeated(now()) => return Ok(None),
                _ => held.log_in(role, transport, Why::Denied).await?,
            },
        };
        Ok((!same(&another, denied)).then_some(another))
    }

    /// When the token is to be renewed next.
    pub(super) async fn due(&self) -> Option<Instant> {
        self.held.lock().await.lease.map(Lease::due)
    }

    /// Where they come from.
    pub(super) const fn credential(&self) -> &Credential {
        &self.credential
    }
}

impl Held {
    /// Reads the file if it is another than before. One that is away for a moment does not matter.
    fn read_again(&mut self, path: &Path) -> Result<Arc<SecretString>, VaultError> {
        let stamp = stamp(path);
        if let Some(token) = &self.token
            && (stamp.is_none() || stamp == self.stamp)
        {
            return Ok(Arc::clone(token));
        }
        match (read_secret(path), &self.token) {
            (Ok(read), _) => {
                self.stamp = stamp;
                Ok(Arc::clone(self.token.insert(Arc::new(read))))
            }
            (Err(_), Some(token)) => Ok(Arc::clone(token)),
            (Err(error), None) => Err(error),
        }
    }

    async fn renew_or_log_in(
        &mut self,
        role: &AppRole,
        transport: &Transport,
    ) -> Result<Arc<SecretString>, VaultError> {
        let valid = match (&self.token, self.lease) {
            (Some(token), Some(lease)) if !lease.is_over(now()) => Some((Arc::clone(token), lease)),
            _ => None,
        };
        if let Some((token, lease)) = &valid
            && lease.renewable
            && self.renew(token, *lease, transport).await
        {
            return Ok(Arc::clone(token));
        }
        match (self.log_in(role, transport, Why::Needed).await, valid) {
            (Err(_), Some((token, _))) => Ok(token),
            (answer, _) => answer,
        }
    }

    /// False if the token is to be replaced by another.
    async fn renew(&mut self, token: &SecretString, lease: Lease, transport: &Transport) -> bool {
        if self.failed_lately().is_some() {
            return true;
        }
        let since = now();
        let renew = VaultPath::new("auth/token/renew-self").expect("it is a path");
        let answer = transport.send(&renew, Request::Write(&[]), Some(token));
        match answer
            .await
            .map(|answer| lease_of(answer.auth.as_ref(), since))
        {
            Ok(Some(Some(renewed))) if renewed.lasts >= lease.at_login / 2 => {
                let at_login = lease.at_login;
                self.lease = Some(Lease {
                    at_login,
                    ..renewed
                });
                true
            }
            _ => false,
        }
    }

    async fn log_in(
        &mut self,
        role: &AppRole,
        transport: &Transport,
        why: Why,
    ) -> Result<Arc<SecretString>, VaultError> {
        if let Some(error) = self.failed_lately() {
            return Err(error);
        }
        let at = now();
        match log_in(role, at, transport).await {
            Ok((token, lease)) => {
                self.failed = None;
                self.login = Some(Login { at, why });
                let former_is_over = self.lease.is_some_and(|lease| lease.is_over(at));
                self.lease = lease;
                let token = Arc::new(token);
                let former = self.token.replace(Arc::clone(&token));
                if let Some(former) = former.filter(|_| !former_is_over) {
                    revoke(&former, transport).await;
                }
                Ok(token)
            }
            Err(error) => {
                self.failed = Some((now(), error.clone()));
                Err(error)
            }
        }
    }

    fn failed_lately(&self) -> Option<VaultError> {
        let (at, error) = self.failed.as_ref()?;
        (now().duration_since(*at) < LOGIN_RETRY).then(|| error.clone())
    }
}

impl Login {
    /// Whether another one may be made because Vault denies its token. One that replaced a token that was
    /// denied, and is denied too, shows that it is not the token.
    fn may_be_repeated(self, now: Instant) -> bool {
        let pause = match self.why {
            Why::Needed => RELOGIN_AFTER,
            Why::Denied => RELOGIN_AGAIN_AFTER,
        };
        now.duration_since(self.at) >= pause
    }
}

impl Lease {
    /// Two thirds of it, so that there is time for more than one attempt.
    fn due(self) -> Instant {
        self.since + self.lasts / 3 * 2
    }

    fn is_due(self, now: Instant) -> bool {
        now >= self.due()
    }

    fn is_over(self, now: Instant) -> bool {
        now >= self.since + self.lasts
    }
}

/// After a login that failed, nobody tries again for this long.
const LOGIN_RETRY: Duration = Duration::from_secs(1);
/// A token that is denied is not replaced by another before it is this old.
const RELOGIN_AFTER: Duration = Duration::from_secs(10);
/// Nor before it is this old, if it replaced one that was denied.
const RELOGIN_AGAIN_AFTER: Duration = Duration::from_secs(5 * 60);
/// A token that was replaced ends by itself too, only later: nobody waits long for its end.
const REVOKE_WITHIN: Duration = Duration::from_secs(1);

/// Ends a token that was replaced. Who is still using it is denied, and takes the new one.
async fn revoke(token: &SecretString, transport: &Transport) {
    let revoke = VaultPath::new("auth/token/revoke-self").expect("it is a path");
    let answer = transport.send(&revoke, Request::Write(&[]), Some(token));
    // It is often denied because it has ended already, and a batch token cannot be revoked.
    drop(tokio::time::timeout(REVOKE_WITHIN, answer).await);
}

async fn log_in(
    role: &AppRole,
    since: Instant,
    transport: &Transport,
) -> Result<(SecretString, Option<Lease>), VaultError> {
    let secret_id = role.secret_id()?;
    let body = [
        ("role_id", role.role_id()),
        // EXPOSE: Vault needs the secret id.
        ("secret_id", secret_id.expose_secret()),
    ];
    let answer = transport
        .send(role.login(), Request::Write(&body), None)
        .await;
    let auth = match answer {
        Ok(answer) => answer.auth,
        // A wrong role id or secret id. What Vault says to that might repeat one of them.
        Err(VaultError::Refused { path, .. }) => return Err(VaultError::Denied { path }),
        Err(error) => return Err(error),
    };
    let token = auth.as_ref().and_then(|auth| auth.text("client_token"));
    match (token.and_then(checked), lease_of(auth.as_ref(), since)) {
        (Some(token), Some(lease)) => Ok((token, lease)),
        _ => Err(VaultError::Unavailable(VaultOutage::NotVault(200))),
    }
}

/// For how long a token is good; `Some(None)` is for ever.
fn lease_of(auth: Option<&VaultData>, since: Instant) -> Option<Option<Lease>> {
    let auth = auth?;
    let lasts = Duration::from_secs(auth.number("lease_duration")?);
    let lease = Lease {
        since,
        lasts,
        renewable: auth.flag("renewable").unwrap_or_default(),
        at_login: lasts,
    };
    Some((!lasts.is_zero()).then_some(lease))
}

/// What a file holds, without the end of its line.
pub(super) fn read_secret(path: &Path) -> Result<SecretString, VaultError> {
    let unavailable = VaultError::Unavailable;
    let text = fs::read_to_string(path).map(Zeroizing::new);
    let text = text.map_err(|source| {
        let (path, source) = (path.to_owned(), Arc::new(source));
        unavailable(VaultOutage::File { path, source })
    })?;
    let secret = checked(&SecretString::from(text.trim()));
    secret.ok_or_else(|| {
        let path = path.to_owned();
        unavailable(VaultOutage::NoToken { path })
    })
}

/// The token, if it can stand in a header field.
pub(super) fn checked(token: &SecretString) -> Option<SecretString> {
    // EXPOSE: looked at, byte by byte.
    let bytes = token.expose_secret().as_bytes();
    let is_good = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic);
    is_good.then(|| token.clone())
}

fn same(one: &SecretString, other: &SecretString) -> bool {
    // EXPOSE: two tokens of this process are compared; nobody else sees how long it takes.
    one.expose_secret() == other.expose_secret()
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the clock of the runtime, which its timers and tests go by"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_repeated_after_10_s_and_one_that_did_not_help_after_5_minutes() {
        let at = now();
        for (why, pause) in [(Why::Needed, 10), (Why::Denied, 300)] {
            let login = Login { at, why };
            let pause = Duration::from_secs(pause);
            let before = at + pause - Duration::from_millis(1);
            assert!(!login.may_be_repeated(before), "{why:?}");
            assert!(login.may_be_repeated(at + pause), "{why:?}");
        }
    }
}
