//! Who takes entries, and how they are reached.

use std::{num::NonZeroU16, path::PathBuf};

use portcullis_audit_log::export::{Endpoint, WebhookSecret};
use rustls::pki_types::ServerName;
use secrecy::{ExposeSecret as _, SecretString};

use super::super::{
    members::{Member, Members, Wrong},
    reach::{Reach, absolute, authorization, endpoint, text_of},
};

/// Who takes entries.
#[derive(Debug)]
pub(crate) enum Receiver {
    /// Standard Webhooks, one for each entry.
    Webhook {
        endpoint: Endpoint,
        secrets: WebhookTexts,
        reach: Reach,
    },
    /// A collector of OpenTelemetry.
    Otlp {
        endpoint: Endpoint,
        /// The value of `Authorization`.
        authorization: Option<SecretString>,
        reach: Reach,
    },
    /// Syslog over TLS.
    Syslog {
        host: String,
        port: u16,
        /// The name in its certificate.
        name: ServerName<'static>,
        enterprise: Option<u32>,
        reach: Reach,
    },
    /// Lines of OCSF in a file.
    OcsfFile(PathBuf),
}

/// What webhooks are signed with; each text is a secret of them.
#[derive(Debug)]
pub(crate) struct WebhookTexts {
    pub(crate) current: SecretString,
    pub(crate) previous: Option<SecretString>,
}

const KINDS: &str = "must be `webhook`, `otlp`, `syslog` or `ocsf-file`";

impl Receiver {
    pub(super) fn read(
        members: &mut Members<'_>,
        secret_files: &mut Vec<PathBuf>,
    ) -> Result<Self, Wrong> {
        let kind = members.required("kind")?;
        match kind.value {
            "webhook" => Ok(Self::Webhook {
                endpoint: endpoint(members, "url")?,
                secrets: WebhookTexts::read(members, secret_files)?,
                reach: Reach::read(members)?,
            }),
            "otlp" => Ok(Self::Otlp {
                endpoint: endpoint(members, "url")?,
                authorization: authorization(members, secret_files)?,
                reach: Reach::read(members)?,
            }),
            "syslog" => syslog(members),
            "ocsf-file" => {
                let path = members.required("path")?;
                absolute(&path).map(Self::OcsfFile)
            }
            _ => Err(kind.wrong(KINDS)),
        }
    }
}

fn syslog(members: &mut Members<'_>) -> Result<Receiver, Wrong> {
    let address = members.required("address")?;
    let expected = "must be a host and a port, such as siem.example:6514";
    let parts = address.value.rsplit_once(':');
    let (host, port) = parts.ok_or_else(|| address.wrong(expected))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned());
    let port: NonZeroU16 = port.parse().map_err(|_| address.wrong(expected))?;
    Ok(Receiver::Syslog {
        host: host.to_owned(),
        port: port.get(),
        name: name.map_err(|_| address.wrong(expected))?,
        enterprise: members.number("enterprise")?,
        reach: Reach::read(members)?,
    })
}

impl WebhookTexts {
    fn read(members: &mut Members<'_>, files: &mut Vec<PathBuf>) -> Result<Self, Wrong> {
        let current = members.required("secret_file")?;
        let previous = members.text("previous_secret_file")?;
        Ok(Self {
            current: secret(&current, files)?,
            previous: previous.map(|file| secret(&file, files)).transpose()?,
        })
    }
}

fn secret(file: &Member<&str>, files: &mut Vec<PathBuf>) -> Result<SecretString, Wrong> {
    let text = text_of(file, files)?;
    // EXPOSE: whether it is a secret is found out by making it one.
    let parsed: Result<WebhookSecret, _> = text.expose_secret().parse();
    parsed.map_err(|error| file.wrong(format!("names a file that holds none: {error}")))?;
    Ok(text)
}
