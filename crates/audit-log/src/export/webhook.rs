//! Leaves as webhooks.

mod secret;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};

use super::{Endpoint, Entry};
use crate::event::Timestamp;

pub use self::secret::{InvalidSecret, WebhookSecret, WebhookSecrets};

/// The most bytes of a message, as Standard Webhooks advises.
pub const MAX_WEBHOOK_BYTES: usize = 20_000;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Makes messages of [Standard Webhooks](https://www.standardwebhooks.com): `type` is the action, `timestamp` when it
/// happened, and `data` the leaf, byte for byte, so that a receiver can hash it and check its proof.
///
/// # Security
/// `webhook-id` is `msg_` and the id of the event, the same at each attempt: what comes twice is known by it.
/// `webhook-timestamp` is that of the attempt.
#[derive(Debug)]
pub struct Webhook {
    endpoint: Endpoint,
    secrets: WebhookSecrets,
}

impl Webhook {
    /// For this URL, signed with these secrets.
    #[must_use]
    pub const fn new(endpoint: Endpoint, secrets: WebhookSecrets) -> Self {
        Self { endpoint, secrets }
    }

    /// The request of an attempt at this time.
    #[must_use]
    pub fn request(&self, entry: &Entry<'_>, time: Timestamp) -> Request<Bytes> {
        let leaf = entry.leaf();
        let mut body = Vec::with_capacity(entry.bytes().len() + 160);
        // Action and time need no escaping, and the leaf is JSON already.
        let head = format!(
            "{{\"type\":\"{}\",\"timestamp\":\"{}\",\"data\":",
            leaf.action(),
            leaf.time()
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(entry.bytes());
        body.push(b'}');

        let id = format!("msg_{}", leaf.id());
        let seconds = time.unix_seconds();
        let signature = self.secrets.sign(&id, seconds, &body);
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.uri().clone();
        let headers = request.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        insert(headers, ID, &id);
        insert(headers, TIMESTAMP, &seconds.to_string());
        insert(headers, SIGNATURE, &signature);
        request
    }
}

/// Of letters, digits and `,+/=_ -`, which every header field may have.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
