//! Is there room: `Frames` → `Admitted`.

use portcullis_dq_metrics::Reason;

use super::{
    authenticate::Caller,
    frame::{Frame, Frames},
};
use crate::{rejection::Rejection, services::Services, store::QueueSlots};

/// Frames that have room in the write queue.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) caller: Caller,
    pub(crate) slots: QueueSlots,
    pub(crate) frames: Vec<Frame>,
}

/// Takes room for every frame, or refuses them all.
pub(crate) fn admit(services: &Services, frames: Frames) -> Result<Admitted, Rejection> {
    let slots = services
        .writer
        .reserve(frames.frames.len())
        .map_err(|_| Rejection::plain(Reason::CapacityQueueFull))?;
    Ok(Admitted {
        caller: frames.caller,
        slots,
        frames: frames.frames,
    })
}
