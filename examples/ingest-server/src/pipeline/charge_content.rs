//! May this tenant send so much now, and is there room for it: [`Frames`] → [`Admitted`]. The rest
//! of what a request costs is charged here, once it is known.

use portcullis_ratelimit::Decision;

use super::{
    allowance::BodyAllowance,
    authenticate::Caller,
    charge_request::Charged,
    cost::Content,
    frame::{Frame, Frames, MAX_BATCH},
    limits::{self, Charge},
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

/// Charges every frame and the body to the tenant's limits and takes room for the frames, or
/// refuses them all. A body that could not be cut into frames costs what was looked at of it, and is
/// rejected after that. Until the frames are counted, a refusal is one of the request.
pub(crate) async fn charge_content(
    services: &Services,
    frames: Frames,
    count_frames: impl FnOnce(usize),
) -> Result<Admitted, RequestRejection> {
    let Frames {
        charged:
            Charged {
                caller,
                admitted,
                allowance,
            },
        bytes,
        frames,
    } = frames;
    let events = match &frames {
        Ok(frames) => frames.len(),
        Err(rejection) if rejection.reason == Reason::EnvelopeBatchTooLarge => MAX_BATCH + 1,
        Err(_) => 0,
    };
    let cost = Content { events, bytes }.cost();
    let charge = limits::charge_rest(services, &caller, &admitted, cost, Charge::CONTENT);
    let limits = Decision::Admitted(charge.await?);
    let frames = frames?;
    count_frames(frames.len());
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
