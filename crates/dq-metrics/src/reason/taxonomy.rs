//! The closed list of reasons: one row each, and nothing about a reason stands elsewhere.

use super::{Severity, Stage};
use crate::dimension::Dimension;

/// What the taxonomy states of one reason.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) text: &'static str,
    pub(super) stage: Stage,
    pub(super) dimension: Option<Dimension>,
    pub(super) severity: Severity,
    pub(super) alert: Alert,
    pub(super) meaning: &'static str,
    pub(super) remediation: &'static str,
}

/// When a refusal deserves attention.
#[derive(Debug)]
pub(super) enum Alert {
    /// A bug or an infrastructure problem: each one does.
    Each,
    /// An ordinary refusal: only an unusual rate does.
    Rate,
}

macro_rules! taxonomy {
    ($($stage:ident { $(
        $reason:ident = $text:literal, $dimension:ident, $severity:ident, $alert:ident:
            $meaning:literal, $remediation:literal;
    )+ })+) => {
        /// Why an event, or a request before its events were known, was refused.
        ///
        /// The list is closed and its texts are stable: answers, metrics, samples and the catalogue
        /// in `docs/data-quality.md` all come from it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(clippy::exhaustive_enums, reason = "closed: a service maps each to one answer")]
        pub enum Reason {
            $($(#[doc = concat!("`", $text, "`: ", $meaning)] $reason,)+)+
        }

        impl Reason {
            /// Every reason, in the order of the request path.
            pub const ALL: [Self; [$($(Self::$reason,)+)+].len()] = [$($(Self::$reason,)+)+];

            pub(super) const fn facts(self) -> &'static Facts {
                match self {
                    $($(Self::$reason => &Facts {
                        text: $text,
                        stage: Stage::$stage,
                        dimension: taxonomy!(@dimension $dimension),
                        severity: Severity::$severity,
                        alert: Alert::$alert,
                        meaning: $meaning,
                        remediation: $remediation,
                    },)+)+
                }
            }
        }
    };
    (@dimension Nothing) => { None };
    (@dimension $dimension:ident) => { Some(Dimension::$dimension) };
}

taxonomy! {
    Transport {
        TransportTooLarge = "transport.too_large", Nothing, Warning, Rate:
            "The body is larger than the limit.",
            "Split the batch, or leave attachments out of events.";
        TransportEncoding = "transport.encoding", Nothing, Warning, Rate:
            "The content encoding or the character set is not one the service reads.",
            "Send UTF-8 with a content encoding the interface description lists.";
        TransportCompression = "transport.compression", Nothing, Warning, Rate:
            "The compressed body is broken, or grows beyond the limit when unpacked.",
            "Compress the whole body once, and keep it below the limit unpacked.";
        TransportContentType = "transport.content_type", Nothing, Warning, Rate:
            "The media type is missing, or not one the service reads.",
            "Set `Content-Type` to the media type of what is sent.";
        TransportTimeout = "transport.timeout", Nothing, Info, Rate:
            "The request took longer to arrive than the service waits.",
            "Send again. If it returns, send smaller bodies or look at the network.";
        TransportIncomplete = "transport.incomplete", Nothing, Info, Rate:
            "The connection ended before the whole body was there.",
            "Send again with the same event ids: what was stored already is recognised.";
        TransportIdempotencyKey = "transport.idempotency_key", Nothing, Warning, Rate:
            "The idempotency key is malformed, or was used before with another body.",
            "Make a fresh key for every new body, and keep it only for retries of that body.";
    }
    Auth {
        AuthMissing = "auth.missing", Nothing, Info, Rate:
            "The request carries no API key.",
            "Send the API key in the header the interface description names.";
        AuthInvalid = "auth.invalid", Nothing, Warning, Rate:
            "The API key is malformed, unknown, wrong, expired or revoked; which one is not told.",
            "Check that the key is whole, belongs to this environment and was not revoked.";
        AuthScope = "auth.scope", Nothing, Warning, Rate:
            "The API key is valid and lacks the scope this request needs.",
            "Ask for a key with the scope, or use the key made for this purpose.";
        AuthUnavailable = "auth.unavailable", Nothing, Critical, Each:
            "Whether the API key is still valid could not be found out, so it was not accepted.",
            "Restore the key store or the revocation channel. Senders may retry.";
    }
    Parse {
        ParseJson = "parse.json", Validity, Error, Rate:
            "The body or the event is not well-formed JSON, or not of the expected kind.",
            "Build JSON with a serializer rather than by joining text.";
        ParseUtf8 = "parse.utf8", Validity, Error, Rate:
            "The text is not valid UTF-8.",
            "Convert to UTF-8 where the data enters the sending system.";
        ParseDepth = "parse.depth", Validity, Warning, Rate:
            "The JSON is nested more deeply than the limit.",
            "Flatten the data, or send deep parts as separate events.";
    }
    Envelope {
        EnvelopeMissingId = "envelope.missing_id", Completeness, Error, Rate:
            "The event has no id.",
            "Give each event an id where it happens, and keep it across retries.";
        EnvelopeInvalidId = "envelope.invalid_id", Validity, Error, Rate:
            "The id is empty, too long or not a string.",
            "Use a UUID, or any short string that is unique for its source.";
        EnvelopeInvalidType = "envelope.invalid_type", Validity, Error, Rate:
            "The event type is missing or has characters that a type may not have.",
            "Send one of the planned event types, exactly as written.";
        EnvelopeInvalidSource = "envelope.invalid_source", Validity, Error, Rate:
            "The source is missing or not allowed.",
            "Name the sending system by a URI reference without blanks.";
        EnvelopeInvalidTime = "envelope.invalid_time", Validity, Error, Rate:
            "The time of the event is missing or not RFC 3339.",
            "Send the time as RFC 3339 with a time zone.";
        EnvelopeInvalidVersion = "envelope.invalid_version", Validity, Error, Rate:
            "The version of the envelope format is missing or not supported.",
            "Send CloudEvents 1.0, `specversion` being `1.0`.";
        EnvelopeMissingData = "envelope.missing_data", Completeness, Error, Rate:
            "The event has no data.",
            "Put the content of the event into `data`.";
        EnvelopeBatchTooLarge = "envelope.batch_too_large", Nothing, Warning, Rate:
            "The batch has more events than the limit.",
            "Send more, smaller batches.";
        EnvelopeBatchEmpty = "envelope.batch_empty", Nothing, Info, Rate:
            "The batch has no event.",
            "Do not send when there is nothing to send.";
    }
    Schema {
        SchemaUnplannedEvent = "schema.unplanned_event", Validity, Warning, Rate:
            "No schema exists for this event type.",
            "Add the type to the plan before it is sent, or stop sending it.";
        SchemaUnknownVersion = "schema.unknown_version", Consistency, Error, Rate:
            "The event type is planned, and this version of its schema is not known.",
            "Publish the schema before the first event that uses it.";
        SchemaRequiredMissing = "schema.required_missing", Completeness, Error, Rate:
            "A required field is missing.",
            "Fill the field at the source, or make it optional in a new schema version.";
        SchemaTypeMismatch = "schema.type_mismatch", Validity, Error, Rate:
            "A field has another type than the schema says.",
            "Convert at the source; the sample names the field.";
        SchemaAdditionalProperty = "schema.additional_property", Validity, Warning, Rate:
            "A field is not in the schema.",
            "Remove the field, or add it in a new schema version.";
        SchemaConstraint = "schema.constraint", Validity, Error, Rate:
            "A value breaks a rule of the schema: a range, a pattern, a list of values.",
            "Correct the value at the source; the sample names the field and the rule.";
    }
    Semantic {
        SemanticTimeFuture = "semantic.time_future", Timeliness, Warning, Rate:
            "The event claims to happen later than now, beyond the tolerance.",
            "Set the sender's clock by NTP, and check its time zone.";
        SemanticTimePast = "semantic.time_past", Timeliness, Warning, Rate:
            "The event is older than the service still takes.",
            "Send sooner. For a backfill, ask the operator to widen the window.";
        SemanticReference = "semantic.reference", Consistency, Warning, Rate:
            "The event refers to a record that does not exist.",
            "Send the record first, or check the identifier.";
    }
    Policy {
        PolicyUndeclaredPii = "policy.undeclared_pii", Validity, Critical, Rate:
            "Personal data stands in a field that is not declared to hold any.",
            "Declare the field in the schema, or stop sending the value; check what is stored.";
        PolicyConsent = "policy.consent", Nothing, Error, Rate:
            "The consent this event needs is missing or was withdrawn.",
            "Ask for consent before sending, and stop senders that ignore its withdrawal.";
    }
    Capacity {
        CapacityQueueFull = "capacity.queue_full", Nothing, Error, Each:
            "The queue before the store was full.",
            "Senders retry after the stated time. If it lasts, give the store more room.";
        CapacityOverloaded = "capacity.overloaded", Nothing, Error, Each:
            "More requests were running at once than the service allows itself.",
            "Senders retry after the stated time. If it lasts, add instances.";
        CapacityStoreUnavailable = "capacity.store_unavailable", Nothing, Critical, Each:
            "The database did not answer, or refused to write.",
            "Look at the database: reachable, disk space, locks.";
        CapacityKeysUnavailable = "capacity.keys_unavailable", Nothing, Critical, Each:
            "The keys that seal personal data could not be used, so nothing was stored.",
            "Look at the key provider: reachable, permitted, key not disabled.";
        CapacityDraining = "capacity.draining", Nothing, Info, Rate:
            "The service is shutting down and takes nothing new.",
            "Send again: another instance, or the restarted one, takes it.";
    }
    Internal {
        Internal = "internal", Nothing, Critical, Each:
            "The service failed in a way it has no name for: a bug.",
            "Find the trace of the sample, and report it.";
    }
}
