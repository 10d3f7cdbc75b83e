//! Webhooks against the library that the makers of Standard Webhooks publish.

use bytes::Bytes;
use http::Request;
use portcullis_audit_log::{
    event::Timestamp,
    export::{Endpoint, Entry, Webhook, WebhookSecrets},
};
use serde_json::{Map, Value};

use crate::{leaves, python};

const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHiA=";

fn verify(secret: &str, request: &Request<Bytes>) -> Result<String, String> {
    let headers: Map<String, Value> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()))
        .collect();
    let mut input = format!("{secret}\n{}\n", Value::Object(headers)).into_bytes();
    input.extend_from_slice(request.body());
    python::run("webhooks.py", input)
}

#[test]
fn a_receiver_accepts_either_secret_and_no_other() {
    let secrets = WebhookSecrets::new(NEW.parse().unwrap()).with_previous(OLD.parse().unwrap());
    let endpoint = Endpoint::parse("https://siem.example/hook").unwrap();
    let webhook = Webhook::new(endpoint, secrets);
    let time = Timestamp::from_unix_micros(1_767_323_046_000_000).unwrap();
    for leaf in leaves::every().iter().step_by(97) {
        let entry = Entry::parse(leaf).unwrap();
        let request = webhook.request(&entry, time);
        let action = Ok(entry.leaf().action().to_owned());
        assert_eq!(verify(NEW, &request), action);
        assert_eq!(verify(OLD, &request), action);
        assert!(verify(OTHER, &request).is_err());
        let mut changed = request.body().to_vec();
        let last = changed.len() - 3;
        changed[last] ^= 1;
        let changed = request.map(|_| Bytes::from(changed));
        assert!(verify(NEW, &changed).is_err());
    }
}
