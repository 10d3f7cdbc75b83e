//! Who sends.

use portcullis_apikey_cache::ApiKey;
use rand::{RngExt as _, rngs::StdRng};
use serde_json::Value;
use time::OffsetDateTime;

use super::traffic;
use crate::{
    admin::{Actor, ApiKeyError, ApiKeyRequest, ApiKeys, IssuedApiKey},
    permission::Permission,
};

/// One tenant and how it behaves.
#[derive(Debug)]
pub(super) struct Tenant {
    name: &'static str,
    key: ApiKey,
    events_per_beat: usize,
    /// One of how many events is broken, and one of how many is sent again.
    broken_one_in: u32,
    repeated_one_in: u32,
    sent: Vec<Value>,
}

/// Sent events that are remembered to be sent again.
const REMEMBERED: usize = 64;

impl Tenant {
    /// A large one, a medium one with a careless integration, and one on the free tier that sends
    /// three times what it may.
    pub(super) async fn all(keys: &ApiKeys) -> Result<Vec<Self>, ApiKeyError> {
        Ok(vec![
            Self::new(keys, "northwind", "enterprise", 40, 200, 40).await?,
            Self::new(keys, "fabrikam", "standard", 10, 8, 12).await?,
            Self::new(keys, "tailspin", "free", 6, 40, 40).await?,
        ])
    }

    async fn new(
        keys: &ApiKeys,
        name: &'static str,
        tier: &str,
        events_per_beat: usize,
        broken_one_in: u32,
        repeated_one_in: u32,
    ) -> Result<Self, ApiKeyError> {
        let key = issue(keys, name, tier).await?.key;
        let sent = Vec::new();
        Ok(Self {
            name,
            key,
            events_per_beat,
            broken_one_in,
            repeated_one_in,
            sent,
        })
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    pub(super) const fn key(&self) -> &ApiKey {
        &self.key
    }

    /// The events of the next request.
    pub(super) fn next_batch(&mut self, random: &mut StdRng, now: OffsetDateTime) -> Vec<Value> {
        (0..self.events_per_beat)
            .map(|_| self.next_event(random, now))
            .collect()
    }

    fn next_event(&mut self, random: &mut StdRng, now: OffsetDateTime) -> Value {
        if !self.sent.is_empty() && random.random_ratio(1, self.repeated_one_in) {
            return self.sent[random.random_range(0..self.sent.len())].clone();
        }
        let event = traffic::event(random, self.name, now);
        if random.random_ratio(1, self.broken_one_in) {
            return traffic::broken(event, random);
        }
        if self.sent.len() == REMEMBERED {
            self.sent.swap_remove(random.random_range(0..REMEMBERED));
        }
        self.sent.push(event.clone());
        event
    }
}

/// A key that may write.
pub(super) async fn issue(
    keys: &ApiKeys,
    tenant: &str,
    tier: &str,
) -> Result<IssuedApiKey, ApiKeyError> {
    let scopes = [Permission::EventsWrite, Permission::LeadsWrite];
    issue_with(keys, tenant, tier, &scopes).await
}

/// A key that may do this.
pub(super) async fn issue_with(
    keys: &ApiKeys,
    tenant: &str,
    tier: &str,
    scopes: &[Permission],
) -> Result<IssuedApiKey, ApiKeyError> {
    let request = ApiKeyRequest {
        tenant: tenant.to_owned(),
        tier: tier.to_owned(),
        scopes: scopes
            .iter()
            .map(|permission| permission.scope().to_owned())
            .collect(),
        not_before: None,
        expires_at: None,
    };
    keys.issue(&Actor::DevProfile, &request).await
}
