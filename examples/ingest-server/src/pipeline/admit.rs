//! May this tenant send so much now, and is there room for it: [`Frames`] → [`Admitted`].

use portcullis_ratelimit::{Category, Decision};

use super::{
    authenticate::Caller,
    frame::{Frame, Frames},
    limits,
    rejection::{Rejection, RequestRejection},
    services::Services,
};
use crate::{quality::Reason, store::QueueSlots};

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
    /// How the tenant's limits stand.
    pub(crate) limits: Decision,
}

/// Charges every frame to the tenant's limits and takes room for it, or refuses them all.
#[tracing::instrument(skip_all, fields(frames = frames.frames.len()))]
pub(crate) async fn admit(
    services: &Services,
    frames: Frames,
) -> Result<Admitted, RequestRejection> {
    let Frames { caller, frames } = frames;
    // An empty batch is a request all the same.
    let cost = frames.len().max(1);
    let limits = limits::check(services, &caller, Category::INGEST, cost).await?;
    let slots = services
        .writer
        .reserve(frames.len())
        .map_err(|_| Rejection::plain(Reason::CapacityQueueFull))?;
    Ok(Admitted {
        caller,
        admission: Admission {
            _slots: slots,
            limits,
        },
        frames,
    })
}
