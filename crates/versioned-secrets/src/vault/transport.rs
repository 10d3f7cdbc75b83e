//! One request to Vault: sent, repeated while that can help, and its answer told apart.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Duration};

use reqwest::{
    Client, Method, Response, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{VaultData, VaultError, VaultOutage, VaultPath};

/// A connection to one address.
#[derive(Debug)]
pub(super) struct Transport {
    pub(super) http: Client,
    pub(super) base: Url,
    pub(super) namespace: Option<HeaderValue>,
    pub(super) attempts: NonZeroU32,
}

/// What is asked for. Bodies are objects of texts, which is all that is ever sent.
#[derive(Clone, Copy)]
pub(super) enum Request<'a> {
    Read,
    Write(&'a [(&'a str, &'a str)]),
}

/// What Vault answers.
#[derive(Default, Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    pub(super) data: Option<VaultData>,
    #[serde(default)]
    pub(super) auth: Option<VaultData>,
}

#[derive(Deserialize)]
struct Refusal {
    errors: Vec<String>,
}

impl Transport {
    /// Asks, and asks again after an error of the server or the connection. Every request that this crate
    /// and its users make may be repeated: it reads, or it makes something that nobody has seen yet.
    pub(super) async fn send(
        &self,
        path: &VaultPath,
        request: Request<'_>,
        token: Option<&SecretString>,
    ) -> Result<Answer, VaultError> {
        self.send_times(self.attempts, path, request, token).await
    }

    /// The same, at most so many times.
    pub(super) async fn send_times(
        &self,
        attempts: NonZeroU32,
        path: &VaultPath,
        request: Request<'_>,
        token: Option<&SecretString>,
    ) -> Result<Answer, VaultError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..attempts.get() {
            match self.send_once(path, request, token).await {
                Ok(answer) => return Ok(answer),
                Err(Failed::For(error)) => return Err(error),
                Err(Failed::ForNow(_, asked_to_wait)) => {
                    tokio::time::sleep(asked_to_wait.unwrap_or(pause)).await;
                }
            }
            pause *= 4;
        }
        let last = self.send_once(path, request, token).await;
        last.map_err(|failed| match failed {
            Failed::For(error) => error,
            Failed::ForNow(outage, _) => VaultError::Unavailable(outage),
        })
    }

    async fn send_once(
        &self,
        path: &VaultPath,
        request: Request<'_>,
        token: Option<&SecretString>,
    ) -> Result<Answer, Failed> {
        let mut url = self.base.clone();
        url.set_path(&format!(
            "{}/v1/{path}",
            self.base.path().trim_end_matches('/')
        ));
        let mut sent = match request {
            Request::Read => self.http.request(Method::GET, url),
            Request::Write(texts) => self
                .http
                .request(Method::POST, url)
                .header(CONTENT_TYPE, "application/json")
                .body(object_of(texts)),
        };
        // What an agent of Vault may insist on, so that no page of a browser can ask it.
        sent = sent.header("x-vault-request", "true");
        if let Some(namespace) = &self.namespace {
            sent = sent.header("x-vault-namespace", namespace);
        }
        if let Some(token) = token {
            // EXPOSE: Vault needs the token. A value that is marked so prints nothing.
            let value = HeaderValue::from_str(token.expose_secret());
            let mut value = value.expect("a token is looked at before it is kept");
            value.set_sensitive(true);
            sent = sent.header("x-vault-token", value);
        }
        let response = sent.send().await.map_err(not_sent)?;
        let (status, wait) = (response.status(), asked_to_wait(&response));
        let body = read(response).await?;
        judge(path, request, status, wait, &body)
    }
}

enum Failed {
    /// Asking again cannot help.
    For(VaultError),
    /// Asking again can help, after that time if Vault names one.
    ForNow(VaultOutage, Option<Duration>),
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause that Vault can ask for; the whole call has a limit of its own.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Far more than any secret or key; Vault itself takes no larger entry.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
const MAX_MESSAGES: usize = 4;
const MAX_MESSAGE_CHARACTERS: usize = 200;
/// A shorter text, such as a number, is in many a message.
const SHORTEST_REPEATED: usize = 8;

fn object_of(texts: &[(&str, &str)]) -> Vec<u8> {
    let texts: BTreeMap<_, _> = texts.iter().copied().collect();
    serde_json::to_vec(&texts).expect("an object of texts is JSON")
}

fn not_sent(error: reqwest::Error) -> Failed {
    if error.is_timeout() {
        return Failed::For(VaultError::Unavailable(VaultOutage::TimedOut));
    }
    let error = Arc::new(error.without_url());
    Failed::ForNow(VaultOutage::Connection(error), None)
}

fn asked_to_wait(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let seconds = Duration::from_secs(seconds.parse().ok()?);
    Some(seconds.min(LONGEST_PAUSE))
}

/// The body, in memory that is wiped; one that is too long is cut off and then no JSON.
async fn read(mut response: Response) -> Result<Zeroizing<Vec<u8>>, Failed> {
    let mut body = Zeroizing::new(Vec::with_capacity(8 * 1024));
    while let Some(chunk) = response.chunk().await.map_err(not_sent)? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            break;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn judge(
    path: &VaultPath,
    request: Request<'_>,
    status: StatusCode,
    wait: Option<Duration>,
    body: &[u8],
) -> Result<Answer, Failed> {
    if status == StatusCode::NO_CONTENT {
        return Ok(Answer::default());
    }
    let number = status.as_u16();
    let for_now = |outage| Err(Failed::ForNow(outage, wait));
    let not_vault = VaultOutage::NotVault(number);
    if status.is_success() {
        let answer = serde_json::from_slice(body);
        return answer.map_err(|_| Failed::For(VaultError::Unavailable(not_vault)));
    }
    let refusal = serde_json::from_slice::<Refusal>(body);
    let messages = refusal
        .as_ref()
        .map_or_else(|_| Vec::new(), |refusal| messages_of(refusal, request));
    let says = |words: &str| messages.iter().any(|message| message.contains(words));
    match number {
        // Answers of a load balancer on the way look like this too, and are outages as well.
        300..=399 | 412 | 472 | 473 => return for_now(VaultOutage::Standby),
        429 => return for_now(VaultOutage::Limited),
        500..=599 if says("sealed") => return for_now(VaultOutage::Sealed),
        500..=599 if says("standby") => return for_now(VaultOutage::Standby),
        500..=599 => return for_now(VaultOutage::Status(number)),
        _ => {}
    }
    let path = path.to_string();
    Err(Failed::For(match number {
        // A deleted secret comes with data about it, and without an error.
        404 if refusal.is_ok() || serde_json::from_slice::<Answer>(body).is_ok() => {
            VaultError::NotFound { path }
        }
        _ if refusal.is_err() => VaultError::Unavailable(not_vault),
        401 | 403 => VaultError::Denied { path },
        status => VaultError::Refused {
            path,
            status,
            messages,
        },
    }))
}

/// What Vault says, without what it was sent.
fn messages_of(refusal: &Refusal, request: Request<'_>) -> Vec<String> {
    let sent = match request {
        Request::Read => &[],
        Request::Write(texts) => texts,
    };
    let repeats = |message: &str| {
        let long_enough = |text: &&str| text.len() >= SHORTEST_REPEATED;
        let mut texts = sent.iter().map(|(_, text)| *text).filter(long_enough);
        texts.any(|text| message.contains(text))
    };
    let shorten = |message: &String| {
        if repeats(message) {
            return "(a message that repeats what was sent)".to_owned();
        }
        let printable = |character: &char| !character.is_control();
        let characters = message.chars().filter(printable);
        characters.take(MAX_MESSAGE_CHARACTERS).collect()
    };
    let messages = refusal.errors.iter().take(MAX_MESSAGES);
    messages.map(shorten).collect()
}
