//! Which entries a command is about.

use clap::Args;
use portcullis_audit_log::search::Filter;

use super::log::LogError;
use crate::admin::AuditRequest;

/// What is said of entries, as the admin listener takes it.
#[derive(Debug, Args)]
pub(super) struct Filters {
    /// Only those of this tenant.
    #[arg(long)]
    tenant: Option<String>,
    /// Only those of this actor, such as the id of an API key.
    #[arg(long, value_name = "ID")]
    actor: Option<String>,
    /// Only this action, such as lead.read.
    #[arg(long)]
    action: Option<String>,
    /// Only those about this resource.
    #[arg(long, value_name = "ID")]
    resource: Option<String>,
    /// Only those that showed or changed this field, such as lead.email.
    #[arg(long)]
    field: Option<String>,
    /// Only with this outcome: success, denied, failure, unknown.
    #[arg(long)]
    outcome: Option<String>,
    /// From this time on, RFC 3339.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Before this time, RFC 3339.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
}

impl Filters {
    pub(super) fn read(self) -> Result<Filter, LogError> {
        let Self {
            tenant,
            actor,
            action,
            resource,
            field,
            outcome,
            from,
            to,
        } = self;
        let request = AuditRequest {
            tenant,
            actor,
            action,
            resource,
            field,
            outcome,
            from,
            to,
            ..AuditRequest::default()
        };
        Ok(request.query()?.filter().clone())
    }
}
