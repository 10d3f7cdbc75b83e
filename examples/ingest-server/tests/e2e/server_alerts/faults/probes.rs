//! Between the probe and the service.

use super::{Stage, start};
use crate::{
    probes::{Probe, ProbeKeys, Proxy, STEPS},
    server_alerts::watch::PROBE_JOB,
};

/// The probe at its interval, whose requests are swallowed, and one that ends.
pub(super) async fn a_proxy_swallows_all(stage: &Stage) {
    let server = start();
    let keys = ProbeKeys::issue(&server, "probe").await;
    let proxy = Proxy::before(&server);
    let probe = Probe::start(server.data(), keys.command(&proxy.url));
    probe.wait_until_succeed(&STEPS).await;
    let instance = stage.watch_address(PROBE_JOB, &probe.address);
    stage.healthy().await;
    let cause = stage.now();
    proxy.swallow(true);
    cause.fires("ProbeFailing", &instance, "pager").await;
    stage.all_fired().await;
    let mended = stage.now();
    proxy.swallow(false);
    mended.resolves("ProbeFailing", &instance).await;
}
