//! What operators do, for the admin listener and the command line alike: each use case takes an
//! [`Actor`], gives a plain description that serialises, and reports one [`AdminEvent`].

mod actor;
mod api_keys;
mod event;
mod limits;
mod quality;
mod readiness;

pub(crate) use actor::Actor;
pub(crate) use api_keys::{
    ApiKeyDescription, ApiKeyError, ApiKeyPage, ApiKeyRequest, ApiKeys, IssuedApiKey, PageRequest,
};
pub(crate) use event::{Action, AdminEvent, AdminObserver, Outcome};
pub(crate) use limits::{LimitedTenants, Limits};
pub(crate) use quality::{QualityReports, Samples};
pub(crate) use readiness::ReadinessCheck;
