//! Where others are that requests are sent to, and what they are told by.

use std::{path::PathBuf, sync::Arc};

use http::HeaderValue;
use portcullis_audit_log::{
    export::Endpoint,
    sink::{AddressPolicy, Network},
};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use secrecy::{ExposeSecret as _, SecretString};

use super::members::{Member, Members, Wrong};
use crate::files;

/// Where a receiver may be, and who vouches for it.
#[derive(Debug)]
pub(crate) struct Reach {
    pub(crate) addresses: AddressPolicy,
    /// Those of the system where none are given.
    pub(crate) authorities: Option<Arc<RootCertStore>>,
}

/// Secrets of webhooks have at most 94 bytes, tokens of collectors some hundreds.
const MOST_SECRET: usize = 4_096;
const MOST_CERTIFICATES: usize = 1_048_576;

/// A URL that requests are sent to, in clear text only where `cleartext` says so.
pub(super) fn endpoint(members: &mut Members<'_>, name: &'static str) -> Result<Endpoint, Wrong> {
    let url = members.required(name)?;
    read_endpoint(members, &url)
}

/// The same, of one that need not be there.
pub(super) fn optional_endpoint(
    members: &mut Members<'_>,
    name: &'static str,
) -> Result<Option<Endpoint>, Wrong> {
    let url = members.text(name)?;
    url.map(|url| read_endpoint(members, &url)).transpose()
}

fn read_endpoint(members: &mut Members<'_>, url: &Member<&str>) -> Result<Endpoint, Wrong> {
    let endpoint = if members.flag("cleartext")? {
        Endpoint::dangerous_cleartext(url.value)
    } else {
        Endpoint::parse(url.value)
    };
    let endpoint = endpoint.map_err(|error| url.wrong(format!("cannot be used: {error}")))?;
    if endpoint.uri().port_u16() == Some(0) {
        return Err(url.wrong("cannot be used: nobody listens on port 0"));
    }
    Ok(endpoint)
}

/// The value of `Authorization`, which stands in a file of its own.
pub(super) fn authorization(
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
pub(super) fn text_of(
    file: &Member<&str>,
    files: &mut Vec<PathBuf>,
) -> Result<SecretString, Wrong> {
    let path = absolute(file)?;
    let text = files::read_text(&path, MOST_SECRET);
    let text = text.map_err(|error| file.wrong(format!("names a file that {error}")))?;
    files.push(path);
    Ok(SecretString::from(text.trim_end().to_owned()))
}

impl Reach {
    pub(super) fn read(members: &mut Members<'_>) -> Result<Self, Wrong> {
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

/// Where a file is.
pub(super) fn absolute(file: &Member<&str>) -> Result<PathBuf, Wrong> {
    let path = PathBuf::from(file.value);
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(file.wrong("must be an absolute path"))
    }
}
