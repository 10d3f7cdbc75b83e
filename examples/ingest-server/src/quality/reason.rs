//! Why this service refuses: one row for each reason, from which its HTTP status, its metric label,
//! its line in `docs/data-quality.md` and its remedy follow.

#[cfg(test)]
mod catalogue;

use std::fmt;

use http::StatusCode;
use portcullis_audit_log::event::Code;
use portcullis_dq_metrics::{Dimension, Facts, Severity};
use serde::{Serialize, Serializer};

/// What stands in one row.
struct Row {
    facts: Facts,
    status: StatusCode,
}

macro_rules! reasons {
    ($($reason:ident = $name:literal, $status:ident, $dimension:tt, $severity:ident, $alert:ident:
        $meaning:literal, $remediation:literal;)+) => {
        /// Why an event, or a request before its events were known, was refused.
        ///
        /// Its name is stable: answers, metrics, samples and dashboards hold it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Reason {
            $(#[doc = concat!("`", $name, "`: ", $meaning)] $reason,)+
        }

        const ALL: &[Reason] = &[$(Reason::$reason,)+];

        static ROWS: [Row; ALL.len()] = [$(Row {
            facts: reasons!(@$alert reasons!(@dimension $dimension Facts::new($name, $meaning)
                .remediation($remediation)
                .severity(Severity::$severity))),
            status: StatusCode::$status,
        },)+];
    };
    (@on_rate $facts:expr) => { $facts };
    (@on_each $facts:expr) => { $facts.unexpected() };
    (@dimension - $facts:expr) => { $facts };
    (@dimension $dimension:ident $facts:expr) => { $facts.dimension(Dimension::$dimension) };
}

// Name, HTTP status, the dimension of quality that it counts against or `-`, severity, whether an alert
// is due on a raised rate or on each one: what happened, and what to do about it.
reasons! {
    TransportTooLarge = "transport.too_large", PAYLOAD_TOO_LARGE, -, Warning, on_rate:
        "The body is larger than the limit, as sent or unpacked.",
        "Split the batch, or leave attachments out of events.";
    TransportEncoding = "transport.encoding", UNSUPPORTED_MEDIA_TYPE, -, Warning, on_rate:
        "The content encoding is not one the service reads.",
        "Send the body as it is, or with `Content-Encoding: gzip`.";
    TransportCharset = "transport.charset", UNSUPPORTED_MEDIA_TYPE, -, Warning, on_rate:
        "The media type names a character set other than UTF-8.",
        "Convert to UTF-8 where the data enters the sending system.";
    TransportCompression = "transport.compression", BAD_REQUEST, -, Warning, on_rate:
        "The compressed body is not valid gzip, or has too many members.",
        "Compress the whole body once.";
    TransportContentType = "transport.content_type", UNSUPPORTED_MEDIA_TYPE, -, Warning, on_rate:
        "The media type is missing, or not one the service reads.",
        "Set `Content-Type` to the media type of what is sent.";
    TransportTimeout = "transport.timeout", REQUEST_TIMEOUT, -, Info, on_rate:
        "The request took longer to arrive than the service waits.",
        "Send again. If it returns, send smaller bodies or look at the network.";
    TransportIncomplete = "transport.incomplete", BAD_REQUEST, -, Info, on_rate:
        "The connection ended before the whole body was there.",
        "Send again with the same event ids: what was stored already is recognised.";

    TransportMalformed = "transport.malformed", BAD_REQUEST, -, Warning, on_rate:
        "The request is not what HTTP/1.1 says: its head, its host, or the chunks of its body.",
        "Send with an HTTP library. If it returns, look at what stands between sender and service.";
    TransportTargetTooLong = "transport.target_too_long", URI_TOO_LONG, -, Warning, on_rate:
        "The target of the request is longer than the limit.",
        "Ask for one thing at a time, and send content in the body.";
    TransportHeadTooLarge = "transport.head_too_large",
        REQUEST_HEADER_FIELDS_TOO_LARGE, -, Warning, on_rate:
        "The head of the request has more bytes or fields than the limit.",
        "Leave out cookies and other fields that the service has no use for.";
    TransportNotImplemented = "transport.not_implemented", NOT_IMPLEMENTED, -, Warning, on_rate:
        "The method, or the transfer coding, is not one that the service knows.",
        "Use the methods of RFC 9110, and compress with `Content-Encoding: gzip`.";
    TransportVersion = "transport.http_version", HTTP_VERSION_NOT_SUPPORTED, -, Warning, on_rate:
        "The version of HTTP is not one that the service speaks.",
        "Send HTTP/1.1, or put a proxy before the service that does.";
    TransportExpectation = "transport.expectation", EXPECTATION_FAILED, -, Warning, on_rate:
        "The request expects something that the service does not do.",
        "Leave out `Expect`, or send `Expect: 100-continue`.";
    TransportQuery = "transport.query", BAD_REQUEST, -, Warning, on_rate:
        "The query has a parameter that is unknown, repeated or not valid percent-encoding.",
        "Send the parameters that the answer names, once each, with `+` written as `%2B`.";

    AuthMissing = "auth.missing", UNAUTHORIZED, -, Info, on_rate:
        "The request carries no API key.",
        "Send the API key as `Authorization: Bearer …` or `X-API-Key: …`.";
    AuthInvalid = "auth.invalid", UNAUTHORIZED, -, Warning, on_rate:
        "The API key is malformed, unknown, wrong, expired or revoked; which one is not told.",
        "Check that the key is whole, belongs to this environment and was not revoked.";
    AuthScope = "auth.scope", FORBIDDEN, -, Warning, on_rate:
        "The API key is valid and lacks the scope this request needs.",
        "Ask for a key with the scope, or use the key made for this purpose.";
    AuthTenantErased = "auth.tenant_erased", FORBIDDEN, -, Warning, on_rate:
        "The tenant was erased, with every key of its data: nothing is kept for it any more.",
        "Stop sending. A tenant that begins again does so under another name.";
    AuthUnavailable = "auth.unavailable", SERVICE_UNAVAILABLE, -, Critical, on_each:
        "Whether the API key is still valid could not be found out, so it was not accepted.",
        "Restore the key store or the revocation channel. Senders may retry.";

    ParseJson = "parse.json", BAD_REQUEST, Validity, Error, on_rate:
        "The body or the event is not well-formed JSON, or not of the expected kind.",
        "Build JSON with a serializer rather than by joining text.";
    ParseUtf8 = "parse.utf8", BAD_REQUEST, Validity, Error, on_rate:
        "The text is not valid UTF-8.",
        "Convert to UTF-8 where the data enters the sending system.";
    ParseDepth = "parse.depth", BAD_REQUEST, Validity, Warning, on_rate:
        "The JSON is nested more deeply than the limit.",
        "Flatten the data, or send deep parts as separate events.";
    ParseRepeatedName = "parse.repeated_name", BAD_REQUEST, Validity, Error, on_rate:
        "An object has two members of one name, so that one of the values would be lost.",
        "Build JSON with a serializer rather than by joining text; send many values as an array.";
    ParseNumber = "parse.number", BAD_REQUEST, Validity, Error, on_rate:
        "A number has more digits or a greater size than can be kept, so that it would be rounded.",
        "Send it as a string, or in the shortest form that its 64 bits have.";

    EnvelopeMissingId = "envelope.missing_id", UNPROCESSABLE_ENTITY, Completeness, Error, on_rate:
        "The event has no id.",
        "Give each event an id where it happens, and keep it across retries.";
    EnvelopeInvalidId = "envelope.invalid_id", UNPROCESSABLE_ENTITY, Validity, Error, on_rate:
        "The id is empty, too long or not a string.",
        "Use a UUID, or any short string that is unique for its source.";
    EnvelopeInvalidType = "envelope.invalid_type", UNPROCESSABLE_ENTITY, Validity, Error, on_rate:
        "The event type is missing or has characters that a type may not have.",
        "Send one of the planned event types, exactly as written.";
    EnvelopeInvalidSource = "envelope.invalid_source", UNPROCESSABLE_ENTITY, Validity, Error, on_rate:
        "The source is missing or not allowed.",
        "Name the sending system by a URI reference without blanks.";
    EnvelopeInvalidTime = "envelope.invalid_time", UNPROCESSABLE_ENTITY, Validity, Error, on_rate:
        "The time of the event is not RFC 3339.",
        "Send the time as RFC 3339 with a time zone.";
    EnvelopeInvalidVersion = "envelope.invalid_version",
        UNPROCESSABLE_ENTITY, Validity, Error, on_rate:
        "The version of the envelope format is not supported.",
        "Send CloudEvents 1.0, `specversion` being `1.0`.";
    EnvelopeInvalidAttribute = "envelope.invalid_attribute",
        UNPROCESSABLE_ENTITY, Validity, Error, on_rate:
        "An attribute has a name or a value that CloudEvents does not allow, or a header twice.",
        "Name extensions by lower-case letters and digits; put objects and arrays into `data`.";
    EnvelopeInvalidData = "envelope.invalid_data", UNPROCESSABLE_ENTITY, Validity, Error, on_rate:
        "The data is there twice, is not valid base64, or is not JSON.",
        "Send JSON in `data`, or in `data_base64` with a `datacontenttype` of JSON.";
    EnvelopeMissingData = "envelope.missing_data", UNPROCESSABLE_ENTITY, Completeness, Error, on_rate:
        "The event has no data.",
        "Put the content of the event into `data`.";
    EnvelopeBatchTooLarge = "envelope.batch_too_large", PAYLOAD_TOO_LARGE, -, Warning, on_rate:
        "The batch has more events than the limit.",
        "Send more, smaller batches.";
    SchemaUnplannedEvent = "schema.unplanned_event", UNPROCESSABLE_ENTITY, Validity, Warning, on_rate:
        "No schema exists for this event type.",
        "Add the type to the plan before it is sent, or stop sending it.";
    SchemaUnknownVersion = "schema.unknown_version", UNPROCESSABLE_ENTITY, Consistency, Error, on_rate:
        "The event type is planned, and this version of its schema is not known.",
        "Publish the schema before the first event that uses it.";
    SchemaRequiredMissing = "schema.required_missing",
        UNPROCESSABLE_ENTITY, Completeness, Error, on_rate:
        "A required field is missing.",
        "Fill the field at the source, or make it optional in a new schema version.";
    SchemaTypeMismatch = "schema.type_mismatch", UNPROCESSABLE_ENTITY, Validity, Error, on_rate:
        "A field has another type than the schema says.",
        "Convert at the source; the sample names the field.";
    SchemaAdditionalProperty = "schema.additional_property",
        UNPROCESSABLE_ENTITY, Validity, Warning, on_rate:
        "A field is not in the schema.",
        "Remove the field, or add it in a new schema version.";
    SchemaConstraint = "schema.constraint", UNPROCESSABLE_ENTITY, Validity, Error, on_rate:
        "A value breaks a rule of the schema: a range, a pattern, a list of values.",
        "Correct the value at the source; the sample names the field and the rule.";

    SemanticTimeFuture = "semantic.time_future", UNPROCESSABLE_ENTITY, Timeliness, Warning, on_rate:
        "The event claims to happen later than now, beyond the tolerance.",
        "Set the sender's clock by NTP, and check its time zone.";
    SemanticTimePast = "semantic.time_past", UNPROCESSABLE_ENTITY, Timeliness, Warning, on_rate:
        "The event is older than the service still takes.",
        "Send sooner: events are taken for five years.";
    SemanticReference = "semantic.reference", UNPROCESSABLE_ENTITY, Consistency, Warning, on_rate:
        "The event refers to a record that does not exist.",
        "Send the record first, or check the identifier.";
    SemanticTaken = "semantic.taken", CONFLICT, Consistency, Warning, on_rate:
        "A value that only one lead may have belongs to another lead.",
        "Find out which of the two is right: correct the value, or update the other lead.";

    PolicyUndeclaredPii = "policy.undeclared_pii", UNPROCESSABLE_ENTITY, Validity, Critical, on_rate:
        "Personal data stands in a field that is not declared to hold any.",
        "Declare the field in the schema (`x-pii`, or `none` if it is harmless), or stop sending the value. A policy \
         can have it sealed in place.";

    CapacityNetworkInFlight = "capacity.network_in_flight", TOO_MANY_REQUESTS, -, Warning, on_rate:
        "The client's network has a quarter of all requests that may run at once.",
        "Send fewer requests at the same time; wait for answers before sending more.";
    CapacityTenantInFlight = "capacity.tenant_in_flight", TOO_MANY_REQUESTS, -, Warning, on_rate:
        "The tenant has a quarter of all requests that may run at once.",
        "Send fewer requests at the same time; batch events.";
    CapacityTenantMemory = "capacity.tenant_memory", TOO_MANY_REQUESTS, -, Warning, on_rate:
        "The tenant's bodies that are being worked on take a quarter of the memory for bodies.",
        "Send fewer large bodies at the same time.";
    CapacityTenantQueue = "capacity.tenant_queue", TOO_MANY_REQUESTS, -, Warning, on_rate:
        "The tenant has a quarter of the queue before the store, in rows or in bytes.",
        "Wait for answers before sending more. If it lasts, see what slows the store down.";
    CapacityMemory = "capacity.memory", SERVICE_UNAVAILABLE, -, Error, on_each:
        "The bodies that are being worked on take all the memory that bodies may take.",
        "Senders retry after the stated time. If it lasts, add instances.";
    CapacityQueueFull = "capacity.queue_full", SERVICE_UNAVAILABLE, -, Error, on_each:
        "The queue before the store was full.",
        "Senders retry after the stated time. If it lasts, give the store more room.";
    CapacityOverloaded = "capacity.overloaded", SERVICE_UNAVAILABLE, -, Error, on_each:
        "More requests were running at once than the service allows itself.",
        "Senders retry after the stated time. If it lasts, add instances.";
    CapacityLimitsReduced = "capacity.limits_reduced", SERVICE_UNAVAILABLE, -, Warning, on_rate:
        "The limits are counted by each process for itself, at a part of their rate, and that part is used up.",
        "Bring Redis back; until then senders retry after the stated time.";
    CapacityStoreUnavailable = "capacity.store_unavailable",
        SERVICE_UNAVAILABLE, -, Critical, on_each:
        "The database did not answer, or refused to write.",
        "Look at the database: reachable, disk space, locks.";
    CapacityErasuresUnavailable = "capacity.erasures_unavailable",
        SERVICE_UNAVAILABLE, -, Critical, on_each:
        "The erasure could not be noted outside the database, so that nothing was erased.",
        "Look at the file of erasures and its volume: there, writable, disk space. Then erase again.";
    CapacityPolicyFile = "capacity.policy_file", SERVICE_UNAVAILABLE, -, Error, on_each:
        "The file of a policy could not be written, so the policy was not replaced.",
        "See `detail` for the file: permitted, its folder too, not mounted read-only, disk space.";
    CapacityKeysUnavailable = "capacity.keys_unavailable",
        SERVICE_UNAVAILABLE, -, Critical, on_each:
        "The keys that seal personal data could not be used, so nothing was stored.",
        "Look at the key provider: reachable, permitted, key not disabled.";
    CapacityAuditUnavailable = "capacity.audit_unavailable",
        SERVICE_UNAVAILABLE, -, Critical, on_each:
        "Who asked and what for could not be put on record, so nothing was shown in the clear, found or changed.",
        "Look at the folder of the audit log, `INGEST_AUDIT_DIR`: there, writable, disk space; in a database locks too. Masked reads of one lead still work.";
    CapacityDraining = "capacity.draining", SERVICE_UNAVAILABLE, -, Info, on_rate:
        "The service is shutting down and takes nothing new.",
        "Send again: another instance, or the restarted one, takes it.";

    CapacityClock = "capacity.clock", SERVICE_UNAVAILABLE, -, Critical, on_each:
        "The clock of the service's machine is set to before 1970 or to the end of 9999.",
        "Set the clock, by NTP; the service then goes on by itself.";

    IntegrityUnreadable = "integrity.unreadable", INTERNAL_SERVER_ERROR, -, Critical, on_each:
        "A stored value is not the one that was written: changed, cut, moved, or sealed elsewhere.",
        "Find out who writes to the database. Overwrite nothing; restore the row from a backup.";

    Internal = "internal", INTERNAL_SERVER_ERROR, -, Critical, on_each:
        "The service failed in a way it has no name for: a bug.",
        "Find the trace of the sample, and report it.";
}

impl Reason {
    /// The stable dotted name, `<stage>.<what>`.
    pub(crate) const fn as_str(self) -> &'static str {
        self.row().facts.name
    }

    /// The name, as the audit log has it.
    pub(crate) const fn code(self) -> Code {
        Code::new(self.as_str())
    }

    /// What happened, in one sentence.
    pub(crate) const fn meaning(self) -> &'static str {
        self.row().facts.meaning
    }

    /// The one answer to it.
    pub(crate) const fn status(self) -> StatusCode {
        self.row().status
    }

    const fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }
}

impl portcullis_dq_metrics::Reason for Reason {
    const ALL: &'static [Self] = ALL;

    fn index(self) -> usize {
        self as usize
    }

    fn facts(self) -> Facts {
        self.row().facts
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
