//! May this tenant send so much now, and is there room for it: [`Frames`] → [`Admitted`]. The rest
//! of what a request costs is charged here, once it is known.

use portcullis_ratelimit::{Category, Decision};

use super::{
    allowance::BodyAllowance,
    authenticate::Caller,
    charge_request::Charged,
    frame::{Frame, Frames},
    limits,
    rejection::{Rejection, RequestRejection},
    services::Services,
};
use crate::{quality::Reason, shares::Exceeded, store::QueueSlots};

/// Frames within the tenant's limits that have room in the write queue.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) caller: Caller,
    pub(crate) admission: Admission,
    pub(crate) frames: Vec<Frame>,
}

/// What a request holds until it is answered.
#[derive(Debug)]
pub(crate) struct Admission {
    /// Room in the write queue.
    _slots: QueueSlots,
    /// What its body uses.
    pub(super) allowance: BodyAllowance,
    /// How the tenant's limits stand.
    pub(crate) limits: Decision,
}

/// Charges every frame to the tenant's limits and takes room for it, or refuses them all.
#[tracing::instrument(skip_all, fields(frames = frames.frames.len()))]
pub(crate) async fn charge_content(
    services: &Services,
    frames: Frames,
) -> Result<Admitted, RequestRejection> {
    let Frames { charged, frames } = frames;
    let Charged { caller, allowance } = charged;
    // An empty batch is a request all the same.
    let cost = frames.len().max(1);
    let limits = limits::check(services, &caller, Category::INGEST, cost).await?;
    let text = frames.iter().map(|frame| frame.text.len()).sum();
    let slots = services.writer.reserve(&caller.tenant, frames.len(), text);
    let slots = slots.map_err(|exceeded| {
        Rejection::plain(match exceeded {
            Exceeded::Own => Reason::CapacityTenantQueue,
            Exceeded::Total => Reason::CapacityQueueFull,
        })
    })?;
    Ok(Admitted {
        caller,
        admission: Admission {
            _slots: slots,
            allowance,
            limits,
        },
        frames,
    })
}
