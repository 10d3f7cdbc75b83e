//! May this tenant ask for anything now: [`Caller`] → [`Charged`], before its body is read.

use portcullis_ratelimit::Category;

use super::{authenticate::Caller, limits, rejection::RequestRejection, services::Services};

/// A caller within its limits, whose body may be read.
#[derive(Debug)]
pub(crate) struct Charged {
    pub(crate) caller: Caller,
}

/// Looks at the tenant's limits before anything is spent on the body.
#[tracing::instrument(skip_all)]
pub(crate) async fn charge_request(
    services: &Services,
    caller: Caller,
) -> Result<Charged, RequestRejection> {
    limits::check(services, &caller, Category::INGEST, 0).await?;
    Ok(Charged { caller })
}
