//! May this tenant ask for anything now: [`Caller`] → [`Charged`], before its body is read.

use http::Extensions;
use portcullis_ratelimit::Admitted;

use super::{
    allowance::BodyAllowance,
    authenticate::Caller,
    cost::{Content, bytes_for},
    in_flight::InFlight,
    limits::{self, Charge},
    rejection::RequestRejection,
    services::Services,
};

/// A caller within its limits, of which one token was taken; its body may be read.
#[derive(Debug)]
pub(crate) struct Charged {
    pub(super) caller: Caller,
    pub(super) admitted: Admitted,
    /// What its body may use.
    pub(super) allowance: BodyAllowance,
}

/// Takes the tenant's place among the requests in flight, which the request keeps to its end, and one
/// token, before anything is spent on the body.
pub(crate) async fn charge_request(
    services: &Services,
    caller: Caller,
    extensions: &Extensions,
) -> Result<Charged, RequestRejection> {
    InFlight::pass_to_tenant(extensions, &caller.tenant)?;
    let admitted = limits::charge_first(services, &caller, Charge::REQUEST).await?;
    let allowance = services.bodies.of_tenant(&caller.tenant)?;
    Ok(Charged {
        caller,
        admitted,
        allowance,
    })
}

impl Charged {
    /// The bytes of content that the limits have room for, as they were at the last charge.
    pub(super) fn room(&self) -> usize {
        let affordable = self.admitted.affordable().unwrap_or(u32::MAX);
        bytes_for(self.admitted.taken().saturating_add(affordable))
    }

    /// Before more work is done on content than there was [room](Self::room) for: takes the tokens
    /// of so many bytes now, or refuses the request.
    pub(super) async fn pay(
        &mut self,
        services: &Services,
        bytes: usize,
    ) -> Result<(), RequestRejection> {
        let cost = Content { events: 0, bytes }.cost();
        let (caller, admitted) = (&self.caller, &self.admitted);
        let charge = limits::charge_rest(services, caller, admitted, cost, Charge::BODY);
        self.admitted = charge.await?;
        Ok(())
    }

    /// Before many bytes are worked on: waits until the tenant's other large bodies are done, and
    /// looks how much [room](Self::room) the limits have when they are.
    pub(super) async fn begin_work(
        &mut self,
        services: &Services,
        bytes: usize,
    ) -> Result<(), RequestRejection> {
        if self.allowance.begin_work(bytes).await {
            self.pay(services, 0).await?;
        }
        Ok(())
    }
}
