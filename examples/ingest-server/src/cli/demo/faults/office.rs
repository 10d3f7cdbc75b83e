//! People at work with leads: they write, look up, read in the clear with a reason, change and erase them. One of
//! them claims an emergency, which an operator is told of.

use std::sync::Arc;

use http::Method;
use portcullis_apikey_cache::ApiKey;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::super::{
    error::DemoError,
    sender::{Answer, Sender},
    summary::Summary,
    tenants, traffic,
};
use crate::{admin::ApiKeys, permission::Permission};

/// Whose leads they are.
const TENANT: &str = "northwind";

const REASON: &str = "X-Access-Reason";

#[derive(Debug)]
pub(super) struct Office {
    sender: Arc<Sender>,
    key: ApiKey,
    step: u64,
    /// The lead that is worked on.
    lead: Value,
    target: String,
    has_claimed_an_emergency: bool,
}

impl Office {
    pub(super) async fn new(keys: &ApiKeys, sender: &Arc<Sender>) -> Result<Self, DemoError> {
        let scopes = [
            Permission::LeadsWrite,
            Permission::LeadsRead,
            Permission::PiiRead,
        ];
        let issued = tenants::issue_with(keys, TENANT, "enterprise", &scopes).await?;
        Ok(Self {
            sender: Arc::clone(sender),
            key: issued.key,
            step: 0,
            lead: Value::Null,
            target: String::new(),
            has_claimed_an_emergency: false,
        })
    }

    /// One step of the work on a lead.
    pub(super) async fn beat(&mut self, random: &mut StdRng, is_late: bool, summary: &mut Summary) {
        let step = self.step;
        self.step += 1;
        match step % 6 {
            0 => self.write(random, summary).await,
            1 => {
                let masked = self.ask(Method::GET, &self.target);
                summary.count_answer(&Answer::to(masked).await);
            }
            2 => {
                let reason = self.reason(is_late);
                let clear = self.ask(Method::GET, &self.target).header(REASON, reason);
                summary.count_answer(&Answer::to(clear).await);
            }
            3 => {
                // Of letters, digits and marks that a query has as they are.
                let email = self.lead["email"].as_str().unwrap_or_default();
                let found = self.ask(Method::GET, &format!("/v1/leads?email={email}"));
                let found = found.header(REASON, "support");
                summary.count_answer(&Answer::to(found).await);
            }
            4 => {
                let change = self.ask(Method::PATCH, &self.target);
                let change = change.json(&json!({ "phone": null }));
                summary.count_lead(TENANT, &Answer::to(change).await);
            }
            _ => {
                let erase = self.ask(Method::DELETE, &self.target);
                summary.count_answer(&Answer::to(erase).await);
            }
        }
    }

    async fn write(&mut self, random: &mut StdRng, summary: &mut Summary) {
        self.lead = traffic::person(random);
        let request = self.ask(Method::POST, "/v1/leads").json(&self.lead);
        let answer = Answer::to(request).await;
        let id = answer.body.get("id").and_then(Value::as_str);
        self.target = format!("/v1/leads/{}", id.unwrap_or("none"));
        summary.count_lead(TENANT, &answer);
    }

    fn ask(&self, method: Method, target: &str) -> reqwest::RequestBuilder {
        self.sender.request_by(&self.key, method, target)
    }

    fn reason(&mut self, is_late: bool) -> &'static str {
        if is_late && !self.has_claimed_an_emergency {
            self.has_claimed_an_emergency = true;
            return "break_glass INC-1";
        }
        "support T-1042"
    }
}
