//! Leaves in the forms that others read: OCSF, syslog, OTLP and webhooks.
//!
//! A leaf has a form of its own that never changes. These are made from it each time, and may follow what others agree
//! on. None of them has more in it than the leaf: what people typed and where they came from stays beside the log.

mod endpoint;
mod entry;
mod ocsf;
mod otlp;
mod product;
mod syslog;
mod webhook;

pub use self::{
    endpoint::{Endpoint, InvalidEndpoint},
    entry::Entry,
    ocsf::{ClassMap, OCSF_VERSION, Ocsf, OcsfClass},
    otlp::Otlp,
    product::{InvalidProduct, Product},
    syslog::Syslog,
    webhook::{InvalidSecret, MAX_WEBHOOK_BYTES, Webhook, WebhookSecret, WebhookSecrets},
};

#[cfg(test)]
mod tests;
