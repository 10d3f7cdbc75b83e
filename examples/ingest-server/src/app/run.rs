//! The service runs, and is taken down in order.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::{
    App,
    service_task::{ServiceTask, first_ended},
    telemetry::STOP,
};
use crate::{
    backend::{AUDIT_CLOSE, KEPT_CLOSE},
    http::routes::{self, Guards},
    pipeline::RequestsInFlight,
};

/// Requests that are worked on at once on the admin listener.
const ADMIN_IN_FLIGHT: usize = 32;

/// How long an orderly end may take. With what telemetry needs to flush, the process ends within
/// the ten seconds after which it would be killed.
const SHUTDOWN: Duration = Duration::from_secs(8);

/// Of that, what there is at least for all that comes before and after the end of the audit log: a
/// log that was cut off could not say what it leaves unwritten.
const BESIDE_AUDIT: Duration = Duration::from_secs(3);

const _: () = assert!(
    AUDIT_CLOSE.as_secs() + KEPT_CLOSE.as_secs() + BESIDE_AUDIT.as_secs() <= SHUTDOWN.as_secs()
);

/// A task of the service ended on its own, and without it requests would only fail.
#[derive(Debug, thiserror::Error)]
#[error("{0} ended, see the log; start the service again")]
pub(crate) struct ServiceTaskEnded(&'static str);

impl App {
    /// Serves until `stop` resolves. Then: nothing new is accepted, requests in flight are
    /// answered, what is queued is written, and the database is closed, all of it by one deadline.
    ///
    /// # Errors
    /// A task of the service ended before; the rest is taken down in the same way.
    pub(crate) async fn run(self, stop: impl Future<Output = ()>) -> Result<(), ServiceTaskEnded> {
        let Self {
            services,
            admin: state,
            connections,
            trace,
            mut writing,
            mut auditing,
            mut following,
            recordings: [mut quality, mut slo],
            mut background,
            ..
        } = self;
        let (stop_serving, stopped) = watch::channel(false);
        let public = routes::public(
            Arc::clone(&services),
            self.degradations,
            Guards::new(self.in_flight, Arc::clone(&services.clock), trace.clone()),
        );
        let public = self.listeners.public.serve(public, stopped.clone());
        let mut public = ServiceTask::spawn("the public listener", public);
        let in_flight = RequestsInFlight::new(ADMIN_IN_FLIGHT);
        let guards = Guards::new(in_flight, Arc::clone(&services.clock), trace);
        let admin = routes::admin(state.clone(), guards);
        let admin = self.listeners.admin.serve(admin, stopped);
        let mut admin = ServiceTask::spawn("the admin listener", admin);

        let tasks = [
            &mut public,
            &mut admin,
            &mut writing,
            &mut auditing,
            following.task(),
            quality.task(),
            slo.task(),
        ];
        let tasks = tasks.into_iter().chain(&mut background);
        let outcome = tokio::select! {
            () = stop => Ok(()),
            name = first_ended(tasks) => Err(ServiceTaskEnded(name)),
        };
        let end = async {
            tracing::info!("stopping: requests in flight are answered first");
            state.use_cases.readiness.drain();
            state.use_cases.reencryption.stop();
            state.use_cases.audit.stop();
            stop_serving.send_replace(true);
            let orderly_end = async {
                tokio::join!(public.ended(), admin.ended());
                drop(background);
                following.stop().await;
                // The writers end when nobody can queue any more.
                drop((services, state));
                auditing.ended().await;
                writing.ended().await;
                // Nothing is recorded any more.
                tokio::join!(quality.stop(), slo.stop());
                connections.close().await;
            };
            match tokio::time::timeout(SHUTDOWN, orderly_end).await {
                Ok(()) => tracing::info!("stopped"),
                Err(_) => tracing::warn!("stopped; what still went on was cut off"),
            }
        };
        STOP.run(end).await;
        outcome
    }
}
