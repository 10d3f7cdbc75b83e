//! Everything that can be on record: one row for each action, from which the routes, use cases and
//! `docs/audit.md` take its name.

use portcullis_audit_log::event::{Action, Activity, ResourceType};

/// An action, what it does, and what it is done to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AuditAction {
    pub(crate) action: Action,
    pub(crate) activity: Activity,
    pub(crate) resource: ResourceType,
    /// What it means that it is on record, in one sentence.
    #[cfg(test)]
    pub(crate) meaning: &'static str,
}

macro_rules! actions {
    ($($name:ident = $action:literal, $activity:ident, $resource:literal: $meaning:literal;)+) => {
        $(
            #[doc = $meaning]
            pub(crate) const $name: &AuditAction = &AuditAction {
                action: Action::new($action),
                activity: Activity::$activity,
                resource: ResourceType::new($resource),
                #[cfg(test)]
                meaning: $meaning,
            };
        )+

        /// All of them, in the order of the page.
        #[cfg(test)]
        pub(crate) const ALL: &[&AuditAction] = &[$($name),+];
    };
}

// Name, what it does, what to: what it means.
actions! {
    LEAD_READ = "lead.read", Read, "lead":
        "A lead was shown in the clear by its id, or was not there.";
    LEAD_SEARCH = "lead.search", Read, "lead":
        "Leads that have a value were shown in the clear, a page at a time.";
    LEAD_SEARCH_MASKED = "lead.search_masked", Read, "lead":
        "Somebody who sees masks learned which leads have a value: a guess was tested.";
    LEAD_WRITE = "lead.write", Update, "lead":
        "Leads were created or changed.";
    LEAD_ERASE = "lead.erase", Delete, "lead":
        "A lead was erased, or was to be.";
    EVENT_WRITE = "event.write", Create, "event":
        "Events were taken in.";
    EVENT_CONFLICT = "event.conflict", Read, "event":
        "A sender was told that events with personal data came before with other content.";
    AUTHENTICATE = "auth.attempt", Other, "auth":
        "An API key or the admin token was missing or wrong.";
    REQUEST = "request", Other, "request":
        "A request was one too many, or lacked a scope.";
    API_KEY_ISSUE = "api_key.issue", Create, "api_key":
        "An API key was issued.";
    API_KEY_LIST = "api_key.list", Read, "api_key":
        "A page of the list of API keys was shown, without any key's text.";
    API_KEY_READ = "api_key.read", Read, "api_key":
        "An API key was described, without its text.";
    API_KEY_REVOKE = "api_key.revoke", Delete, "api_key":
        "An API key was revoked.";
    API_KEY_ROTATE = "api_key.rotate", Update, "api_key":
        "An API key was replaced by a new one.";
    PEPPER_LIST = "pepper.list", Read, "pepper":
        "It was shown which peppers API keys need.";
    PEPPER_TAG_KEY = "pepper.tag_key", Read, "pepper":
        "The tag key of a pepper, a secret, was shown.";
    KEY_CACHE_READ = "key_cache.read", Read, "key_cache":
        "It was shown how the cache of API keys does; nothing of any key.";
    KEY_CACHE_INVALIDATE = "key_cache.invalidate", Update, "key_cache":
        "Every process was made to forget what it knows of API keys.";
    ADMIN_REQUEST = "admin.request", Other, "admin":
        "A request of an operator was refused before it was looked at.";
    LIMITS_READ = "limits.read", Read, "limits":
        "The limits were shown, and the tenants that were refused most.";
    LIMITS_REPLACE = "limits.replace", Update, "limits":
        "The limits were replaced.";
    DETECTION_READ = "detection.read", Read, "detection":
        "The policy for undeclared personal data was shown.";
    DETECTION_REPLACE = "detection.replace", Update, "detection":
        "The policy for undeclared personal data was replaced.";
    QUALITY_READ = "quality.read", Read, "quality":
        "A report on the quality of data was shown.";
    QUALITY_SAMPLES = "quality.samples", Read, "quality":
        "Masked samples of refused events were shown.";
    SLO_READ = "slo.read", Read, "slo":
        "It was shown how the objectives are kept.";
    AUDIT_READ = "audit.read", Read, "audit":
        "Entries of the audit log were shown.";
    AUDIT_VERIFY = "audit.verify", Read, "audit":
        "An operator asked whether the audit log is what it has signed.";
    AUDIT_VERIFIED = "audit.verified", Other, "audit":
        "It was found out whether the audit log is what it has signed: all of it (`whole`), a part (`range`), or the log of \
         that name, whose process has ended.";
    AUDIT_FINDING_CLOSED = "audit.finding_closed", Update, "finding":
        "An operator has looked at a finding of the rules and closed it, or was to.";
    AUDIT_ERASE = "audit.erase", Delete, "audit":
        "An operator erased what lies beside entries of the audit log, or was to.";
    AUDIT_PRUNE = "audit.prune", Delete, "audit":
        "What is too old was taken out of an audit log by a command.";
    AUDIT_ARCHIVE = "audit.archive", Create, "audit":
        "What an audit log had more than its archive was put there by a command.";
    AUDIT_ANCHORED = "audit.anchored", Other, "audit":
        "So many checkpoints were with an anchor in time, within five minutes, or not (`late`).";
    AUDIT_ACCEPT_ROLLBACK = "audit.accept_rollback", Create, "audit":
        "An operator began the log that follows one which was put back, cut or damaged, or was to.";
    DATA_KEY_LIST = "data_key.list", Read, "data_key":
        "Data keys were listed, without their bytes.";
    DATA_KEY_ROTATE = "data_key.rotate", Update, "data_key":
        "Data keys were replaced by new ones.";
    DATA_KEY_REWRAP = "data_key.rewrap", Update, "data_key":
        "Data keys were wrapped under another key-encryption key.";
    DATA_KEY_REENCRYPT = "data_key.reencrypt", Update, "data_key":
        "Rows were sealed again under the latest data keys.";
    DATA_KEY_REENCRYPTION = "data_key.reencryption", Read, "data_key":
        "It was shown how far a re-encryption has come.";
    DATA_KEY_VERIFY = "data_key.verify", Read, "data_key":
        "Every row was opened, to see that it can be; nothing of it was shown.";
    DATA_KEY_DISABLE = "data_key.disable", Update, "data_key":
        "A data key was disabled.";
    DATA_KEY_DESTROY = "data_key.destroy", Delete, "data_key":
        "A data key was destroyed.";
    DATA_KEY_RESTORE = "data_key.restore", Update, "data_key":
        "A data key that was disabled is used again.";
    INDEX_READ = "index.read", Read, "index":
        "It was shown which versions of the blind indexes are live.";
    INDEX_ROTATE = "index.rotate", Update, "index":
        "The blind indexes were made again under another root.";
    INDEX_ABANDON = "index.abandon", Update, "index":
        "A rotation of the blind indexes was abandoned.";
    INDEX_UNIQUE = "index.unique", Update, "index":
        "It was changed which fields of leads are unique.";
    TENANT_ERASE = "tenant.erase", Delete, "tenant":
        "All of a tenant was erased, or was to be.";
    PROBE_DELETE = "probe.delete", Delete, "tenant":
        "What the probe had written was deleted by the service, as it is each hour.";
}
