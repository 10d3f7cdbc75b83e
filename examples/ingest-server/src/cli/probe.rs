//! `probe`: asks the service what its tenants ask for, from outside, and tells what came of it.

mod base_url;
mod client;
mod error;
mod failure;
mod interval;
mod journeys;
mod keys;
mod page;
mod rounds;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;
use portcullis_keyring::entropy::{EntropyError, SystemEntropy};
use rand::{SeedableRng as _, rngs::StdRng};

use self::{
    base_url::BaseUrl, client::Client, error::ProbeError, interval::parse_interval, keys::Keys,
    page::Page, rounds::Rounds,
};
use super::{CliError, print, serve, settings::Settings};
use crate::{
    app::telemetry,
    clock::{SystemClock, make_seed},
    config,
    observe::{Journey, ProbeMetrics},
    process,
};

pub(super) use self::error::ProbeError as Error;

#[derive(Debug, Args)]
pub(super) struct Probe {
    /// Where tenants reach the service, such as https://ingest.example.com.
    #[arg(long)]
    url: String,
    /// File of two lines: an API key with the scopes events:write, leads:write and leads:read, and a revoked one.
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// From the begin of one round to that of the next, 1s to 1h.
    #[arg(long, default_value = "10s", value_name = "TIME", value_parser = parse_interval)]
    interval: Duration,
    /// Where Prometheus asks for the metrics of the probe; port 0 takes any free one.
    // A text, as the setting of the server is that has this name.
    #[arg(long, default_value = "127.0.0.1:9115", value_name = "IP:PORT")]
    listen: String,
    /// Do one round, print what came of each step, and fail if one of them did.
    #[arg(long)]
    once: bool,
    /// Show the keys without encryption to another machine too, in a network that nobody listens in.
    #[arg(long)]
    allow_plain_http: bool,
}

/// Probes until SIGTERM or SIGINT, or once. It is a client of the HTTP interface and opens no database.
pub(super) async fn run(settings: &Settings, probe: &Probe) -> Result<(), CliError> {
    process::forbid_dumps()
        .map_err(|error| CliError::Dumpable(std::io::Error::from(error).kind()))?;
    let base = BaseUrl::parse(&probe.url, probe.allow_plain_http).map_err(ProbeError::from)?;
    let keys = Keys::read(&probe.key_file).map_err(|error| ProbeError::Keys {
        path: probe.key_file.clone(),
        error,
    })?;
    let client = Client::new(base, keys)?;
    if probe.once {
        return once(&client).await;
    }
    let listen = probe.listen.parse();
    let listen: SocketAddr = listen.map_err(|_| ProbeError::Listen)?;
    let guard = telemetry::start_probe(&config::log_filter(&settings.sources())?)?;
    let stop = serve::stop_signal().map_err(|error| CliError::Runtime(error.kind()))?;
    let metrics = ProbeMetrics::register(guard.registry()).map_err(ProbeError::from)?;
    let page = Page::bind(listen).await?;
    print(&format!("listening on http://{} (metrics)", page.address()))?;
    let rounds = Rounds::new(client, metrics, probe.interval);
    let journeys = Journey::ALL.map(|journey| {
        let random = random()?;
        Ok::<_, EntropyError>(rounds.repeat(journey, random))
    });
    let [write, lead, keys] = journeys;
    let (write, lead, keys) = (
        write.map_err(ProbeError::from)?,
        lead.map_err(ProbeError::from)?,
        keys.map_err(ProbeError::from)?,
    );
    tokio::select! {
        () = stop => {}
        () = async { tokio::join!(write, lead, keys, page.serve(guard.registry().clone())); } => {}
    }
    telemetry::stop(guard);
    Ok(())
}

async fn once(client: &Client) -> Result<(), CliError> {
    let mut failed = 0;
    for journey in Journey::ALL {
        let mut random = random().map_err(ProbeError::from)?;
        let round = journeys::round(client, journey, &mut random, &SystemClock).await;
        for line in round.lines() {
            print(&line)?;
        }
        failed += round.failed();
    }
    match failed {
        0 => Ok(()),
        failed => Err(ProbeError::Failed(failed).into()),
    }
}

fn random() -> Result<StdRng, EntropyError> {
    Ok(StdRng::from_seed(make_seed(&SystemEntropy::new())?))
}
