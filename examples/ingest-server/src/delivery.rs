//! Delivering the audit log elsewhere: to webhooks, collectors, syslog and files, each behind a cursor of its own and
//! never in the way of who records.

mod deliveries;
mod ended;
mod file_lines;
mod http;
mod resolve;
mod sink;
mod tls;
mod tls_lines;
mod told;
mod witness;

pub(crate) use self::{
    deliveries::{Deliveries, DeliveryState, cursor_of},
    sink::UnusableSink,
    tls::client as tls_client,
    witness::connection,
};
