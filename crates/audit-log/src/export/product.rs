//! Who wrote the log.

/// The service that an export names as its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    vendor: String,
    name: String,
    version: String,
}

/// A name that no format of export could carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the {member} of a product must have 1 to 48 printable characters of ASCII, without spaces"
)]
#[non_exhaustive]
pub struct InvalidProduct {
    /// Which of its members it is.
    pub member: &'static str,
}

/// RFC 5424 gives `APP-NAME` no more.
const MAX_BYTES: usize = 48;

impl Product {
    /// A product of this vendor, name and version: each 1 to 48 printable characters of ASCII, without spaces.
    ///
    /// # Errors
    /// [`InvalidProduct`] names the one that is not.
    pub fn new(vendor: &str, name: &str, version: &str) -> Result<Self, InvalidProduct> {
        for (member, text) in [("vendor", vendor), ("name", name), ("version", version)] {
            let is_word = text.bytes().all(|byte| byte.is_ascii_graphic());
            if text.is_empty() || text.len() > MAX_BYTES || !is_word {
                return Err(InvalidProduct { member });
            }
        }
        Ok(Self {
            vendor: vendor.to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
        })
    }

    /// Who makes it.
    #[must_use]
    pub fn vendor(&self) -> &str {
        &self.vendor
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which version it is.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}
