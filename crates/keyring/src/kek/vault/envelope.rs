//! A data key as Vault has wrapped it, and which key of Vault it was.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use portcullis_versioned_secrets::{SecretVersion, vault::VaultPath};

use crate::kek::WrappedKey;

/// ```text
/// FA ‖ 03 ‖ key version u32 ‖ lp32(mount) ‖ lp32(key name) ‖ ciphertext
/// ```
///
/// The ciphertext is what Vault writes behind `vault:v<version>:`, decoded: one envelope has one spelling.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) name: KeyName,
    pub(crate) version: SecretVersion,
    pub(crate) ciphertext: Vec<u8>,
}

/// A key of Vault.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KeyName {
    mount: VaultPath,
    key: VaultPath,
}

impl KeyName {
    pub(crate) const fn new(mount: VaultPath, key: VaultPath) -> Self {
        Self { mount, key }
    }

    /// One version of it, as operators see it.
    pub(crate) fn version(&self, version: SecretVersion) -> String {
        format!("{self}:v{version}")
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.mount, self.key)
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Envelope {
    pub(crate) fn parse(wrapped: &WrappedKey) -> Option<Self> {
        let rest = wrapped.as_bytes().strip_prefix(&[MAGIC, FORMAT])?;
        let (version, rest) = rest.split_first_chunk()?;
        let version = u32::from_be_bytes(*version).try_into().ok()?;
        let (mount, rest) = path(rest)?;
        let (key, ciphertext) = path(rest)?;
        if ciphertext.is_empty() {
            return None;
        }
        Some(Self {
            name: KeyName::new(mount, key),
            version,
            ciphertext: ciphertext.to_vec(),
        })
    }

    pub(crate) fn to_wrapped(&self) -> WrappedKey {
        let mut bytes = vec![MAGIC, FORMAT];
        bytes.extend_from_slice(&self.version.value().to_be_bytes());
        for path in [&self.name.mount, &self.name.key] {
            let length = u32::try_from(path.as_str().len());
            let length = length.expect("a path is at most 512 bytes long");
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(path.as_str().as_bytes());
        }
        bytes.extend_from_slice(&self.ciphertext);
        WrappedKey::from_bytes(bytes)
    }

    /// As Vault writes it.
    pub(crate) fn ciphertext(&self) -> String {
        let ciphertext = STANDARD.encode(&self.ciphertext);
        format!("{PREFIX}{}:{ciphertext}", self.version)
    }
}

/// What Vault writes: `vault:v<version>:<base64>`.
pub(crate) fn parse_ciphertext(text: &str) -> Option<(SecretVersion, Vec<u8>)> {
    let (version, ciphertext) = text.strip_prefix(PREFIX)?.split_once(':')?;
    let ciphertext = STANDARD.decode(ciphertext).ok()?;
    let version = version.parse().ok()?;
    (!ciphertext.is_empty()).then_some((version, ciphertext))
}

const MAGIC: u8 = 0xFA;
const FORMAT: u8 = 3;
const PREFIX: &str = "vault:v";

fn path(bytes: &[u8]) -> Option<(VaultPath, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (text, rest) = rest.split_at_checked(length)?;
    let text = str::from_utf8(text).ok()?;
    let path = VaultPath::new(text).ok()?;
    // A path with a slash too many would be the same path, in other bytes.
    (path.as_str() == text).then_some((path, rest))
}
