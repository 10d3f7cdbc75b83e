//! What operators do, as metrics and log lines.

use portcullis_apikey_cache::feed::Invalidation;
use portcullis_telemetry::{
    BoundedFamily, Label, MetricError, Registry, prometheus_client::metrics::counter::Counter,
};

use super::{SERIES, in_span};
use crate::{
    admin::{Action, ActionResult, AdminEvent, AdminObserver},
    limits,
};

/// Counts use cases by what was done and what came of it, and logs each with its actor.
#[derive(Debug)]
pub(crate) struct AdminMetrics {
    actions: BoundedFamily<2, Counter>,
}

impl AdminMetrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, MetricError> {
        let outcomes = ActionResult::ALL.map(ActionResult::as_str);
        Ok(Self {
            actions: registry.counter_family(
                "ingest_admin_actions",
                "What operators did, and what came of it",
                [Label::from("action"), Label::closed("outcome", outcomes)],
                SERIES,
            )?,
        })
    }
}

impl AdminObserver for AdminMetrics {
    fn observe(&self, event: &AdminEvent<'_>) {
        let AdminEvent {
            actor,
            action,
            result,
        } = event;
        let (name, outcome) = (action.as_str(), result.as_str());
        self.actions.with([name, outcome]).inc();
        let kid = action.kid().map(tracing::field::display);
        let tenant = action.tenant();
        if action.is_change() {
            let details = details(event);
            let what = match result {
                ActionResult::Done => "an operator changed something",
                ActionResult::Rejected => "a change that cannot be made was rejected",
                ActionResult::Failed => "a change failed",
            };
            in_span(|| {
                tracing::info!(action = name, outcome, %actor, kid, tenant, details, "{what}");
            });
        } else {
            tracing::debug!(action = name, outcome, %actor, kid, tenant, "an operator looked at something");
        }
    }
}

/// What was changed to what. What was rejected may be anything that was typed.
fn details(event: &AdminEvent<'_>) -> Option<String> {
    match (event.result, event.action) {
        (ActionResult::Done, Action::IssueApiKey { tier, scopes, .. }) => {
            Some(format!("tier {tier}, scopes {}", scopes.join(" ")))
        }
        (ActionResult::Done, Action::RotateApiKey { new: Some(new), .. }) => {
            Some(format!("new kid {new}"))
        }
        (ActionResult::Done, Action::InvalidateKeyCache { what }) => {
            let is_all = matches!(what, Some(Invalidation::All));
            is_all.then(|| "all keys".to_owned())
        }
        (ActionResult::Done, Action::ReplaceLimits { policies }) => {
            policies.map(|policies| limits::describe(policies).to_string())
        }
        (ActionResult::Done, Action::ReplaceDetection { policy }) => policy.map(|policy| {
            let (default, tenants) = (policy.default_handlings(), policy.tenants());
            format!("default {default}, {tenants} tenants with handlings of their own")
        }),
        (_, action @ (Action::DataKeys { .. } | Action::Index { .. })) => action.resource(),
        (_, Action::Erase { lead, .. }) => lead.map(|lead| format!("lead {lead}")),
        _ => None,
    }
}
