//! Flags that every command takes, made from the table of settings, and how they become a
//! configuration.

use std::{io, path::PathBuf};

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};

use super::CliError;
use crate::{
    app::{self, StartError},
    backend::{BackendError, SecretServices},
    cli::dev,
    config::{self, Config, Flags, Setting, Sources, settings},
    process,
};

/// Flags of the server stand under this heading, after a command's own.
const HEADING: &str = "Server settings";

/// The flag that names the file of settings.
const FILE: &str = "config";

/// What is not secret can be set by a flag; flags win over environment over file.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    flags: Flags,
    file: Option<PathBuf>,
}

/// What a command does where the dev profile has no secrets yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MissingSecrets {
    /// Makes them.
    Generate,
    /// Goes on as if it had made them.
    DryRun,
    /// Says so.
    Report,
}

/// A configuration, and whether its secrets are generated ones.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) config: Config,
    pub(super) has_generated_secrets: bool,
    /// What holds secrets and keys outside of this process.
    pub(super) services: SecretServices,
}

impl Settings {
    /// Reads flags, environment, file and generated secrets, and fetches those that are elsewhere.
    pub(super) async fn load(&self, missing: MissingSecrets) -> Result<Loaded, CliError> {
        load(self.sources(), missing).await
    }

    /// The same, with log lines only for what is wrong if no source sets the log filter: a command
    /// that shows something on the terminal is not to be talked over.
    pub(super) async fn load_quietly(&self, missing: MissingSecrets) -> Result<Loaded, CliError> {
        let mut sources = self.sources();
        sources.set_default(settings::LOG, "warn");
        load(sources, missing).await
    }

    pub(super) fn sources(&self) -> Sources {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment"
        )]
        let environment = std::env::vars_os();
        let environment =
            environment.filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Sources::new(self.flags.clone(), environment, self.file.as_deref())
    }
}

impl Args for Settings {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new(FILE)
            .long(FILE)
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("Settings that are not secret, as TOML");
        let flags = settings::ALL.iter().filter_map(|setting| flag(setting));
        let arguments = [file].into_iter().chain(flags);
        command.args(arguments.map(|argument| argument.global(true).help_heading(HEADING)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut settings = Self {
            flags: Flags::new(),
            file: None,
        };
        settings.update_from_arg_matches(matches)?;
        Ok(settings)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in settings::ALL {
            let given = setting.flag.map(|flag| matches.get_one::<String>(flag));
            if let Some(text) = given.flatten() {
                self.flags.insert(setting.variable, text.clone());
            }
        }
        if let Some(file) = matches.get_one(FILE) {
            self.file = Some(PathBuf::clone(file));
        }
        Ok(())
    }
}

fn flag(setting: &Setting) -> Option<Arg> {
    let name = setting.flag?;
    let (help, variable, default) = (setting.help, setting.variable, setting.shown_default());
    let help = format!("{help} [env: {variable}] [default: {default}]");
    let argument = Arg::new(name).long(name).value_name(setting.hint);
    Some(argument.help(help))
}

/// Adds to the help of a command and of all below it what is set in the environment alone.
pub(super) fn explain_environment(command: Command) -> Command {
    command
        .after_help(environment())
        .mut_subcommands(explain_environment)
}

fn environment() -> String {
    let mut text = "Environment only:".to_owned();
    let mut section = None;
    for setting in settings::ALL.iter().filter(|it| it.flag.is_none()) {
        if section.replace(setting.section) != Some(setting.section) {
            text.push_str(&format!("\n  {}", setting.section.title()));
        }
        let (variable, help, default) = (setting.variable, setting.help, setting.shown_default());
        let line = format!("\n    {variable:<28}  {help} [default: {default}]");
        text.push_str(&line);
    }
    text
}

async fn load(mut sources: Sources, missing: MissingSecrets) -> Result<Loaded, CliError> {
    // In the dev profile, developers attach their tools.
    if !config::is_dev(&sources) {
        process::forbid_dumps()
            .map_err(|error| CliError::Dumpable(io::Error::from(error).kind()))?;
    }
    if missing == MissingSecrets::Generate && dev::secrets::would_generate(&sources) {
        // Nothing is written for a configuration that cannot be used, or beside another process.
        dev::secrets::dry_run(&mut sources)?;
        app::try_addresses(&Config::load(&sources)?).map_err(StartError::from)?;
    }
    let has_generated_secrets = match missing {
        MissingSecrets::Generate => dev::secrets::ensure(&mut sources)?,
        MissingSecrets::DryRun => dev::secrets::dry_run(&mut sources)?,
        MissingSecrets::Report => dev::secrets::add_existing(&mut sources)?,
    };
    let place = config::secret_place(&sources);
    if place.is_some() {
        // Nobody is asked for anything as long as something else is wrong.
        Config::check(&sources)?;
    }
    let keks = config::kek_sources(&sources);
    let services = SecretServices::connect(keks.as_ref(), place.as_ref());
    let services = services.await.map_err(BackendError::from)?;
    if let Some((place, secrets)) = services.fetch().await.map_err(BackendError::from)? {
        sources.add_fetched(place.to_string(), secrets);
    }
    Ok(Loaded {
        config: Config::load(&sources)?,
        has_generated_secrets,
        services,
    })
}
