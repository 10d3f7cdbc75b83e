//! What a setting is: its name in each source, its default, and how it is explained.

/// A row of the table in [`settings`](super::settings).
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) section: Section,
    /// Its name in the environment.
    pub(crate) variable: &'static str,
    /// Its key in the file; without one it cannot stand there.
    pub(crate) key: Option<&'static str>,
    /// Its flag, without the dashes.
    pub(crate) flag: Option<&'static str>,
    pub(crate) fallback: Fallback,
    pub(crate) secrecy: Secrecy,
    /// Whether the file may give a number instead of text.
    pub(crate) takes_number: bool,
    /// The form of a value, for people.
    pub(crate) hint: &'static str,
    /// What it is, in one line.
    pub(crate) help: &'static str,
}

/// The file of `config/` that reads a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Profile,
    Network,
    Database,
    Schemas,
    Detection,
    Limits,
    Observability,
    Audit,
    Providers,
    Secrets,
}

/// What holds where no source says anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// This text, read as if it had been given.
    Text(&'static str),
    /// No text; the words explain what the section does then.
    Described(&'static str),
}

/// The default of a secret that is always needed.
const GENERATED: &str = "made by the dev profile";

/// How a setting is treated, and which variables go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrecy {
    Plain,
    /// Never in the file or a flag; `…_FILE` may name a file that holds it.
    Secret,
    /// A secret of several versions; `…_PRIMARY` names the one in use, and `…_PRIMARY_FILE` a file that does.
    VersionedSecret,
}

impl Section {
    /// Its name for people.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Profile => "Profile",
            Self::Network => "Network",
            Self::Database => "Database",
            Self::Schemas => "Schemas",
            Self::Detection => "Personal data that no schema declares",
            Self::Limits => "Limits",
            Self::Observability => "Observability",
            Self::Audit => "Audit log",
            Self::Providers => "Other programs",
            Self::Secrets => {
                "Secrets (required in production; …_FILE can name a file that holds one)"
            }
        }
    }
}

impl Setting {
    pub(super) const fn new(section: Section, variable: &'static str, hint: &'static str) -> Self {
        Self {
            section,
            variable,
            key: None,
            flag: None,
            fallback: Fallback::Described("unset"),
            secrecy: Secrecy::Plain,
            takes_number: false,
            hint,
            help: "",
        }
    }

    pub(super) const fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    pub(super) const fn key(mut self, key: &'static str) -> Self {
        self.key = Some(key);
        self
    }

    pub(super) const fn flag(mut self, flag: &'static str) -> Self {
        self.flag = Some(flag);
        self
    }

    pub(super) const fn default(mut self, text: &'static str) -> Self {
        self.fallback = Fallback::Text(text);
        self
    }

    pub(super) const fn otherwise(mut self, description: &'static str) -> Self {
        self.fallback = Fallback::Described(description);
        self
    }

    pub(super) const fn number(mut self) -> Self {
        self.takes_number = true;
        self
    }

    pub(super) const fn secret(self) -> Self {
        self.with_secrecy(Secrecy::Secret)
    }

    pub(super) const fn versioned_secret(self) -> Self {
        self.with_secrecy(Secrecy::VersionedSecret)
    }

    const fn with_secrecy(mut self, secrecy: Secrecy) -> Self {
        self.secrecy = secrecy;
        self.otherwise(GENERATED)
    }

    /// Whether the service cannot do without it, so that the dev profile makes one.
    pub(crate) fn is_generated(&self) -> bool {
        self.fallback == Fallback::Described(GENERATED)
    }

    /// Whether an empty text says something: that there is none.
    pub(crate) fn is_none_when_empty(&self) -> bool {
        self.fallback == Fallback::Described("none")
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.secrecy != Secrecy::Plain
    }

    /// The variable that names a file with this secret in it.
    pub(crate) fn file_variable(&self) -> String {
        format!("{}_FILE", self.variable)
    }

    /// The variable that names the version in use.
    pub(crate) fn primary_variable(&self) -> String {
        format!("{}_PRIMARY", self.variable)
    }

    /// The variable that names a file with that version in it: it can change while the service runs.
    pub(crate) fn primary_file_variable(&self) -> String {
        format!("{}_FILE", self.primary_variable())
    }

    /// Every name it has in the environment.
    pub(crate) fn variables(&self) -> Vec<String> {
        let mut variables = vec![self.variable.to_owned()];
        if self.is_secret() {
            variables.push(self.file_variable());
        }
        if self.secrecy == Secrecy::VersionedSecret {
            variables.push(self.primary_variable());
            variables.push(self.primary_file_variable());
        }
        variables
    }

    /// The default as people read it.
    pub(crate) const fn shown_default(&self) -> &'static str {
        match self.fallback {
            Fallback::Text(text) | Fallback::Described(text) => text,
        }
    }
}
