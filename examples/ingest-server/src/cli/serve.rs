//! `serve`.

use tokio::signal::unix::{SignalKind, signal};

use super::{
    CliError, print,
    settings::{Loaded, MissingSecrets, Settings},
};
use crate::{
    app::{
        Addresses, App,
        telemetry::{self, Hidden},
    },
    cli::dev,
    config::Profile,
    process,
};

/// Serves until SIGTERM or SIGINT, then drains.
pub(super) async fn run(settings: &Settings, hidden: Hidden) -> Result<(), CliError> {
    let Loaded {
        config,
        has_generated_secrets,
        services,
    } = settings.load(MissingSecrets::Generate).await?;
    // Without a limit, this locks more than the secrets, which are locked already.
    if config.profile == Profile::Production {
        process::lock_everything();
    }
    let guard = telemetry::start(&config, hidden)?;
    // Before anything listens, so that no signal is lost.
    let stop = stop_signal().map_err(|error| CliError::Runtime(error.kind()))?;
    let app = App::start(&config, &services, &guard).await?;
    let Addresses { public, admin } = app.addresses();
    if has_generated_secrets {
        let key = dev::demo_key::ensure(&config.data_dir, app.keys(), app.api_keys()).await?;
        print(&dev::banner(&config, app.addresses(), &key))?;
    } else {
        print(&format!("listening on http://{public} (public)"))?;
        print(&format!("listening on http://{admin} (admin)"))?;
    }
    let outcome = app.run(stop).await;
    telemetry::stop(guard);
    Ok(outcome?)
}

/// Resolves at the first SIGTERM or SIGINT.
pub(super) fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
