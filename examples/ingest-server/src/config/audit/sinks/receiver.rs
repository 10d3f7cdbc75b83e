//! Who takes entries, and how they are reached.

use std::{path::PathBuf, sync::Arc};

use http::HeaderValue;
use portcullis_audit_log::{
    export::{Endpoint, WebhookSecret},
    sink::{AddressPolicy, Network},
};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::members::{Member, Members, Wrong};
use crate::files;

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

/// Where a receiver may be, and who vouches for it.
#[derive(Debug)]
pub(crate) struct Reach {
    pub(crate) addresses: AddressPolicy,
    /// Those of the system where none are given.
    pub(crate) authorities: Option<Arc<RootCertStore>>,
}

const KINDS: &str = "must be `webhook`, `otlp`, `syslog` or `ocsf-file`";

/// Secrets of webhooks have at most 94 bytes, tokens of collectors some hundreds.
const MOST_SECRET: usize = 4_096;
const MOST_CERTIFICATES: usize = 1_048_576;

impl Receiver {
    pub(super) fn read(
        members: &mut Members<'_>,
        secret_files: &mut Vec<PathBuf>,
    ) -> Result<Self, Wrong> {
        let kind = members.required("kind")?;
        match kind.value {
            "webhook" => Ok(Self::Webhook {
                endpoint: endpoint(members)?,
                secrets: WebhookTexts::read(members, secret_files)?,
                reach: Reach::read(members)?,
            }),
            "otlp" => Ok(Self::Otlp {
                endpoint: endpoint(members)?,
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

fn endpoint(members: &mut Members<'_>) -> Result<Endpoint, Wrong> {
    let url = members.required("url")?;
    let endpoint = if members.flag("cleartext")? {
        Endpoint::dangerous_cleartext(url.value)
    } else {
        Endpoint::parse(url.value)
    };
    endpoint.map_err(|error| url.wrong(format!("cannot be used: {error}")))
}

fn syslog(members: &mut Members<'_>) -> Result<Receiver, Wrong> {
    let address = members.required("address")?;
    let expected = "must be a host and a port, such as siem.example:6514";
    let parts = address.value.rsplit_once(':');
    let (host, port) = parts.ok_or_else(|| address.wrong(expected))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned());
    Ok(Receiver::Syslog {
        host: host.to_owned(),
        port: port.parse().map_err(|_| address.wrong(expected))?,
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

fn authorization(
    members: &mut Members<'_>,
    files: &mut Vec<PathBuf>,
) -> Result<Option<SecretString>, Wrong> {
    let Some(file) = members.text("authorization_file")? else {
        return Ok(None);
    };
    let text = text_of(&file, files)?;
    // EXPOSE: whether a header can carry it.
    if HeaderValue::from_str(text.expose_secret()).is_err() {
        return Err(file.wrong("names a file with more than one line of printable ASCII"));
    }
    Ok(Some(text))
}

/// What stands in a file of its own, which is told to those who look who else can read it.
fn text_of(file: &Member<&str>, files: &mut Vec<PathBuf>) -> Result<SecretString, Wrong> {
    let path = absolute(file)?;
    let text = files::read_text(&path, MOST_SECRET);
    let text = text.map_err(|error| file.wrong(format!("names a file that {error}")))?;
    files.push(path);
    Ok(SecretString::from(text.trim_end().to_owned()))
}

impl Reach {
    fn read(members: &mut Members<'_>) -> Result<Self, Wrong> {
        let mut addresses = AddressPolicy::public();
        for network in members.texts("networks")? {
            let parsed: Result<Network, _> = network.value.parse();
            let parsed = parsed.map_err(|error| network.wrong(format!("cannot be used: {error}")));
            addresses = addresses.allow(parsed?);
        }
        let authorities = members.text("ca_file")?;
        let authorities = authorities.map(|file| roots(&file)).transpose()?;
        Ok(Self {
            addresses,
            authorities: authorities.map(Arc::new),
        })
    }
}

fn roots(file: &Member<&str>) -> Result<RootCertStore, Wrong> {
    let pem = files::read(&absolute(file)?, MOST_CERTIFICATES);
    let pem = pem.map_err(|error| file.wrong(format!("names a file that {error}")))?;
    let mut roots = RootCertStore::empty();
    let none = || file.wrong("names a file without certificates in PEM that can be used");
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let added = certificate.ok().and_then(|it| roots.add(it).ok());
        added.ok_or_else(none)?;
    }
    if roots.is_empty() {
        return Err(none());
    }
    Ok(roots)
}

fn absolute(file: &Member<&str>) -> Result<PathBuf, Wrong> {
    let path = PathBuf::from(file.value);
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(file.wrong("must be an absolute path"))
    }
}
