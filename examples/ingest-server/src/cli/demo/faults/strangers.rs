//! Requests without a key, with something that is none, and with one that was revoked.

use std::sync::Arc;

use http::Method;
use portcullis_apikey_cache::ApiKey;

use super::super::{
    error::DemoError,
    sender::{Answer, Sender},
    summary::Summary,
    tenants, traffic,
};
use crate::admin::{Actor, ApiKeys};

/// In whose name they ask.
const TENANT: &str = "northwind";

#[derive(Debug)]
pub(super) struct Strangers {
    sender: Arc<Sender>,
    revoked: ApiKey,
}

impl Strangers {
    pub(super) async fn new(keys: &ApiKeys, sender: &Arc<Sender>) -> Result<Self, DemoError> {
        let issued = tenants::issue(keys, TENANT, "enterprise").await?;
        let kid = issued.kid.to_string();
        let revoked = keys.revoke(&Actor::DevProfile, &kid).await;
        revoked.map_err(DemoError::Revoke)?;
        Ok(Self {
            sender: Arc::clone(sender),
            revoked: issued.key,
        })
    }

    pub(super) async fn beat(&self, summary: &mut Summary) {
        let post = || self.sender.request(Method::POST, "/v1/events");
        let by_revoked = || {
            self.sender
                .request_by(&self.revoked, Method::POST, "/v1/events")
        };
        for request in [
            post(),
            post().bearer_auth("no-key"),
            by_revoked(),
            by_revoked(),
            by_revoked(),
            by_revoked(),
        ] {
            let answer = Answer::to(request.json(&traffic::heartbeat())).await;
            summary.count_events(TENANT, 1, &answer);
        }
    }
}
