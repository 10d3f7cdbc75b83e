//! The command line.

mod api_key;
mod audit;
mod audited;
mod check_config;
mod columns;
mod demo;
mod dev;
mod erase;
mod index;
mod keys;
mod log_end;
mod metrics;
mod opened;
mod probe;
mod progress;
mod quality;
mod serve;
mod settings;

use std::{
    error::Error,
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use portcullis_telemetry::InitError;

use crate::{
    admin::{DataKeyError, PeriodError},
    app::{PrepareError, ServiceTaskEnded, StartError, telemetry::Hidden},
    backend::{AuditOpenError, BackendError},
    cli::demo::error::DemoError,
    cli::dev::DevError,
    config::ConfigError,
    process,
};

/// Multi-tenant ingestion of events and leads, with personal data sealed at rest.
#[derive(Debug, Parser)]
#[command(name = "ingest-server", version, about)]
struct Cli {
    #[command(flatten)]
    settings: settings::Settings,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve requests (the default).
    Serve,
    /// Serve, and send realistic traffic from three invented tenants.
    Demo(demo::Demo),
    /// Check the configuration and stop.
    CheckConfig(check_config::CheckConfig),
    /// List every metric that the service can have.
    Metrics(metrics::Metrics),
    /// Issue, list and revoke API keys, and see which peppers they need.
    #[command(subcommand)]
    ApiKey(api_key::Command),
    /// Rotate data keys, seal rows again under new ones, and retire old ones.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Rotate the root of the blind indexes, and change which fields are unique.
    #[command(subcommand)]
    Index(index::Command),
    /// How good the data was that came in.
    #[command(subcommand)]
    Quality(quality::Command),
    /// Look at the audit log, verify it, and take out of it what may be taken out.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Erase a tenant or a lead for good, from a backup that is restored too.
    Erase(erase::Erase),
    /// Ask a service again and again what its tenants ask for, and tell Prometheus what came of it.
    Probe(probe::Probe),
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Dev(#[from] DevError),
    #[error(transparent)]
    Backend(#[from] BackendError),
    #[error(transparent)]
    Audit(#[from] AuditOpenError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    #[error(transparent)]
    Ended(#[from] ServiceTaskEnded),
    #[error(transparent)]
    Telemetry(#[from] InitError),
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error(transparent)]
    ApiKey(#[from] api_key::CommandError),
    #[error(transparent)]
    Database(#[from] opened::OpenError),
    #[error(transparent)]
    DataKeys(DataKeyError),
    #[error(transparent)]
    Unfinished(#[from] keys::Unfinished),
    #[error(transparent)]
    Log(#[from] audit::LogError),
    #[error(transparent)]
    Unverified(#[from] audit::Unverified),
    #[error(transparent)]
    QualityPeriod(#[from] PeriodError),
    #[error(transparent)]
    Probe(#[from] probe::Error),
    #[error("the demo invents tenants and keys: it runs in the dev profile only")]
    DemoInProduction,
    #[error("the runtime cannot be started: {0}")]
    Runtime(io::ErrorKind),
    #[error("the output cannot be written: {0}")]
    Output(io::ErrorKind),
    #[error("the process cannot be kept from giving away its memory: {0}")]
    Dumpable(io::ErrorKind),
}

/// Runs the command that the arguments name.
#[must_use]
pub fn run() -> ExitCode {
    run_hiding(Hidden::AsConfigured)
}

/// The same, and hides nothing in logs, spans and samples.
///
/// # Security
/// For tests with invented data only.
#[cfg(feature = "dangerous-unredacted")]
#[must_use]
pub fn dangerous_run_unredacted() -> ExitCode {
    run_hiding(Hidden::Nothing)
}

fn run_hiding(hidden: Hidden) -> ExitCode {
    let Cli { settings, command } = parse();
    // Database, secrets and logs are nobody else's to read.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let outcome = runtime
        .map_err(|error| CliError::Runtime(error.kind()))
        .and_then(|runtime| {
            runtime.block_on(async {
                process::outlive_file_size_limit()
                    .map_err(|error| CliError::Runtime(error.kind()))?;
                match command.unwrap_or(Command::Serve) {
                    Command::Serve => serve::run(&settings, hidden).await,
                    Command::Demo(demo) => demo::run(&settings, &demo).await,
                    Command::CheckConfig(check) => check_config::run(&settings, &check).await,
                    Command::Metrics(arguments) => metrics::run(&arguments),
                    Command::ApiKey(command) => api_key::run(&settings, command).await,
                    Command::Keys(command) => keys::run(&settings, command).await,
                    Command::Index(command) => index::run(&settings, command).await,
                    Command::Quality(command) => quality::run(&settings, command).await,
                    Command::Audit(command) => audit::run(&settings, command).await,
                    Command::Erase(arguments) => erase::run(&settings, arguments).await,
                    Command::Probe(arguments) => probe::run(&settings, &arguments).await,
                }
            })
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            explain(&error);
            error.exit_code()
        }
    }
}

/// Reads the arguments, or says what is wrong with them and ends the process.
fn parse() -> Cli {
    let mut command = settings::explain_environment(Cli::command());
    let parsed = Cli::from_arg_matches(&command.get_matches_mut());
    parsed.unwrap_or_else(|error| error.format(&mut command).exit())
}

impl CliError {
    /// 2 for what the operator has to set right, 1 for what failed.
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_)
            | Self::DemoInProduction
            | Self::Telemetry(InitError::Environment(_) | InitError::Endpoint)
            | Self::Dev(
                DevError::DataWithoutSecrets { .. }
                | DevError::Unreadable { .. }
                | DevError::Form { .. },
            ) => ExitCode::from(2),
            Self::Backend(error) if error.is_configuration() => ExitCode::from(2),
            Self::Audit(error) if error.is_configuration() => ExitCode::from(2),
            Self::Start(error) if error.is_configuration() => ExitCode::from(2),
            Self::Prepare(error) if error.is_configuration() => ExitCode::from(2),
            Self::Database(opened::OpenError::NoDatabase(_))
            | Self::DataKeys(
                DataKeyError::Invalid(_)
                | DataKeyError::NotConfigured(_)
                | DataKeyError::Unnoted(_),
            ) => ExitCode::from(2),
            Self::QualityPeriod(PeriodError::Invalid(_)) => ExitCode::from(2),
            Self::Unverified(error) => ExitCode::from(error.exit_code()),
            Self::Log(error) if error.is_usage_error() => ExitCode::from(2),
            Self::Probe(error) if error.is_usage_error() => ExitCode::from(2),
            Self::ApiKey(error) if error.is_usage_error() => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

/// Prints the error and what caused it.
fn explain(error: &dyn Error) {
    let mut text = format!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!("\n  because: {error}"));
        cause = error.source();
    }
    // With no standard error left there is nobody to tell.
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// Tells on standard error what does not keep the command from its work.
fn warn(text: &str) {
    drop(writeln!(io::stderr().lock(), "warning: {text}"));
}

/// Prints a line of the command's result.
fn print(line: &str) -> Result<(), CliError> {
    let mut output = io::stdout().lock();
    let printed = writeln!(output, "{line}").and_then(|()| output.flush());
    printed.map_err(|error| CliError::Output(error.kind()))
}

#[cfg(test)]
mod runbooks;
