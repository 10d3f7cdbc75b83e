//! What operators do, for the admin listener and the command line alike: each use case takes an
//! [`Actor`], gives a plain description that serialises, and reports one [`AdminEvent`].

mod actor;
mod api_keys;
mod event;
mod limits;
mod quality;
mod readiness;

pub(crate) use self::actor::Actor;
pub(crate) use self::api_keys::{
    ApiKeyDescription, ApiKeyError, ApiKeyPage, ApiKeyRequest, ApiKeys, IssuedApiKey, PageRequest,
};
pub(crate) use self::event::{Action, AdminEvent, AdminObserver, Outcome};
pub(crate) use self::limits::{LimitedTenants, Limits};
pub(crate) use self::quality::{QualityReports, Samples};
pub(crate) use self::readiness::ReadinessCheck;
