//! May this tenant ask for anything now: [`Caller`] → [`Charged`], before its body is read.

use http::Extensions;
use portcullis_ratelimit::Category;

use super::{
    allowance::BodyAllowance, authenticate::Caller, in_flight::InFlight, limits,
    rejection::RequestRejection, services::Services,
};

/// A caller within its limits, whose body may be read.
#[derive(Debug)]
pub(crate) struct Charged {
    pub(crate) caller: Caller,
    /// What its body may use.
    pub(crate) allowance: BodyAllowance,
}

/// Takes the tenant's place among the requests in flight, which the request keeps to its end, and
/// looks at the tenant's limits before anything is spent on the body.
#[tracing::instrument(skip_all)]
pub(crate) async fn charge_request(
    services: &Services,
    caller: Caller,
    extensions: &Extensions,
) -> Result<Charged, RequestRejection> {
    InFlight::pass_to_tenant(extensions, &caller.tenant)?;
    limits::check(services, &caller, Category::INGEST, 0).await?;
    let allowance = services.bodies.of_tenant(&caller.tenant)?;
    Ok(Charged { caller, allowance })
}
