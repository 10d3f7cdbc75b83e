//! The tenant of the probe, whose records are nobody's.

use portcullis_keyring::TenantId;

/// The tenant of the probe, if the configuration names one.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProbeTenant(Option<TenantId>);

impl ProbeTenant {
    pub(crate) const fn new(tenant: Option<TenantId>) -> Self {
        Self(tenant)
    }

    /// Whether it is this one.
    pub(crate) fn is(&self, tenant: &TenantId) -> bool {
        self.0.as_ref() == Some(tenant)
    }
}
