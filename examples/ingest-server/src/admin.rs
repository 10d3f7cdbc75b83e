//! What operators do, for the admin listener and the command line alike: each use case takes an
//! [`Actor`], gives a plain description that serialises, and reports one [`AdminEvent`].

mod actor;
mod api_keys;
mod event;
mod limits;
mod quality;
mod readiness;

pub(crate) use self::{
    actor::Actor,
    api_keys::{
        ApiKeyDescription, ApiKeyError, ApiKeyPage, ApiKeyRequest, ApiKeys, IssuedApiKey,
        PageRequest,
    },
    event::{Action, ActionResult, AdminEvent, AdminObserver},
    limits::{LimitedTenants, Limits},
    quality::{QualityReports, Samples},
    readiness::ReadinessCheck,
};
