//! `demo`.

mod display;
pub(super) mod error;
mod faults;
mod sender;
mod session;
mod summary;
mod tenants;
mod times;
mod traffic;

use std::{sync::Arc, time::Duration};

use clap::Args;

use super::{
    CliError, print, serve,
    settings::{Loaded, MissingSecrets, Settings},
};
use crate::{
    admin::ApiKeys,
    app::telemetry,
    app::{Addresses, App},
    backend::Location,
    config::{ADMIN_TOKEN, Config, Profile},
};

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// How long to send, in seconds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(2..=3_600))]
    seconds: u64,
    /// Send what goes wrong too: strangers, a flood, malformed requests, leads read in an emergency.
    #[arg(long)]
    all_faults: bool,
}

/// Serves, sends traffic to itself, tells what came of it, and goes on serving.
pub(super) async fn run(settings: &Settings, demo: &Demo) -> Result<(), CliError> {
    let Loaded {
        config,
        has_generated_secrets,
        services,
    } = settings.load_quietly(MissingSecrets::Generate).await?;
    if config.profile == Profile::Production {
        return Err(CliError::DemoInProduction);
    }
    // EXPOSE: the dev profile shows the token it made for itself; a given one is not repeated.
    let token = has_generated_secrets.then(|| config.secrets.admin_token.expose().to_owned());
    let token = token.unwrap_or_else(|| format!("${ADMIN_TOKEN}"));
    let config = Arc::new(config);
    let guard = telemetry::start(&config, telemetry::Hidden::AsConfigured)?;
    let stop = serve::stop_signal().map_err(|error| CliError::Runtime(error.kind()))?;
    let app = App::start(&config, &services, &guard).await?;
    let (keys, addresses) = (app.api_keys().clone(), app.addresses());
    let (length, has_all_faults) = (Duration::from_secs(demo.seconds), demo.all_faults);
    // It ends with the keys: the service waits until nobody can put anything on record.
    let show = async move {
        show(&keys, addresses, length, has_all_faults).await?;
        print(&where_to_look(&config, addresses, &token))
    };
    // The service ends by a signal, at any time, or because the demo cannot go on.
    let mut shown = Ok(());
    let served = app
        .run(async {
            tokio::select! {
                () = stop => {}
                Err(error) = show => shown = Err(error),
            }
        })
        .await;
    telemetry::stop(guard);
    shown?;
    Ok(served?)
}

async fn show(
    keys: &ApiKeys,
    addresses: Addresses,
    length: Duration,
    has_all_faults: bool,
) -> Result<(), CliError> {
    let seconds = length.as_secs();
    print(&format!(
        "Three invented tenants send events and leads to http://{} for {seconds} s.\n",
        addresses.public
    ))?;
    let summary = session::run(keys, addresses, length, has_all_faults).await?;
    print(&format!("After {seconds} s:\n\n{summary}"))
}

fn where_to_look(config: &Config, addresses: Addresses, token: &str) -> String {
    let database = Location::new(&config.database);
    let types = database.shell_query("SELECT tenant, type, count(*) FROM event GROUP BY 1, 2");
    let payload =
        database.shell_query("SELECT payload FROM event WHERE type = 'lead.created' LIMIT 1");
    let page = config.data_dir.join("quality.html");
    let page = page.display();
    let admin = addresses.admin;
    format!(
        "\
Look at the data, sealed:

  {types}
  {payload}

At what was rejected and why (counted in events, also as a page to open), at who was limited (counted in
requests), at who did what, and at the metrics:

  curl -H \"Authorization: Bearer {token}\" 'http://{admin}/admin/quality?tenant=fabrikam'
  curl -H \"Authorization: Bearer {token}\" http://{admin}/admin/quality/report -o {page}
  curl -H \"Authorization: Bearer {token}\" http://{admin}/admin/limits
  curl -H \"Authorization: Bearer {token}\" http://{admin}/admin/audit/events
  curl -H \"Authorization: Bearer {token}\" http://{admin}/metrics

The service goes on. Stop it with Ctrl-C.
"
    )
}
