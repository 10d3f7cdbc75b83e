//! The parts that can be degraded, in words.

/// A part of the service that can do less than it promises while the rest goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DegradedPart {
    LimitsFallback,
    RevocationUnconfirmed,
    KeysCachedOnly,
    TelemetryLosing,
    AuditBehind,
}

impl DegradedPart {
    /// In the order of the variants.
    pub(crate) const ALL: [Self; 5] = [
        Self::LimitsFallback,
        Self::RevocationUnconfirmed,
        Self::KeysCachedOnly,
        Self::TelemetryLosing,
        Self::AuditBehind,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::LimitsFallback => "limits_fallback",
            Self::RevocationUnconfirmed => "revocation_unconfirmed",
            Self::KeysCachedOnly => "keys_cached_only",
            Self::TelemetryLosing => "telemetry_losing",
            Self::AuditBehind => "audit_behind",
        }
    }

    /// What it means to callers. Nothing of how the service is built.
    pub(crate) const fn limited(self) -> &'static str {
        match self {
            Self::LimitsFallback => "rate limits admit less than the full rate",
            Self::RevocationUnconfirmed => "requests take longer: each API key is looked up again",
            Self::KeysCachedOnly => {
                "personal data of tenants that were not active of late is neither taken in nor shown: those requests \
                 are answered 503"
            }
            Self::TelemetryLosing => "no request; a trace that support asks for may be missing",
            Self::AuditBehind => {
                "records of access arrive late where they are kept; while none can be made, personal data is not \
                 shown: those requests are answered 503"
            }
        }
    }

    /// What an operator does about it.
    pub(crate) const fn action(self) -> &'static str {
        match self {
            Self::LimitsFallback => {
                "see that Redis runs, can be reached and written: `limits` in the components, and the log"
            }
            Self::RevocationUnconfirmed => {
                "see that the database can be read and written: `api_key_cache` in the components, and GET /admin/cache"
            }
            Self::KeysCachedOnly => {
                "see that the provider of the key-encryption key can be reached: keys in memory serve for 24 hours at \
                 most, and the log says how it failed"
            }
            Self::TelemetryLosing => {
                "see that the collector takes spans and standard error is read: telemetry_spans_dropped_total and \
                 telemetry_log_lines_dropped_total say which are lost, and why"
            }
            Self::AuditBehind => {
                "see `audit_log` and `audit_sinks` in the components, and GET /admin/audit/status for the anchors"
            }
        }
    }
}
