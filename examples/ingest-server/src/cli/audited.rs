//! How each command is recorded, in one list: without its line there, a command does not compile.

use super::{Command, api_key, index, keys, quality};
use crate::audit::{
    Audited::{self, Must, Never},
    actions as on_record,
};

/// Why a service's own doings stand in another log.
const BY_THE_SERVICE: &str = "the service has a log of its own, in which all that it does is";

impl Command {
    /// How it is recorded.
    #[cfg_attr(not(test), expect(dead_code, reason = "the list is walked by a test"))]
    pub(super) const fn audited(&self) -> Audited {
        match self {
            Self::Serve | Self::Demo(_) => Never(BY_THE_SERVICE),
            Self::CheckConfig(_) | Self::Metrics(_) => {
                Never("it shows and changes nothing of anybody")
            }
            Self::ApiKey(command) => match command {
                api_key::Command::Issue(_) => Must(on_record::API_KEY_ISSUE),
                api_key::Command::List(_) => Must(on_record::API_KEY_LIST),
                api_key::Command::Rotate(_) => Must(on_record::API_KEY_ROTATE),
                api_key::Command::Revoke(_) => Must(on_record::API_KEY_REVOKE),
                api_key::Command::Peppers(_) => Must(on_record::PEPPER_LIST),
                api_key::Command::TagKey(_) => Must(on_record::PEPPER_TAG_KEY),
            },
            Self::Keys(command) => match command {
                keys::Command::List(_) => Must(on_record::DATA_KEY_LIST),
                keys::Command::Rotate(_) => Must(on_record::DATA_KEY_ROTATE),
                keys::Command::Rewrap(_) => Must(on_record::DATA_KEY_REWRAP),
                keys::Command::Reencrypt(_) => Must(on_record::DATA_KEY_REENCRYPT),
                keys::Command::Verify(_) => Must(on_record::DATA_KEY_VERIFY),
                keys::Command::Disable(_) => Must(on_record::DATA_KEY_DISABLE),
                keys::Command::Destroy(_) => Must(on_record::DATA_KEY_DESTROY),
                keys::Command::Restore(_) => Must(on_record::DATA_KEY_RESTORE),
            },
            Self::Index(command) => match command {
                index::Command::Rotate(_) => Must(on_record::INDEX_ROTATE),
                index::Command::HoldUnique(_) => Must(on_record::INDEX_UNIQUE),
            },
            Self::Quality(quality::Command::Report(_)) => Must(on_record::QUALITY_READ),
            Self::Audit(command) => command.audited(),
            Self::Erase(_) => Must(on_record::TENANT_ERASE),
            Self::Probe(_) => Never("it asks a service as a tenant does, which has that on record"),
        }
    }
}

#[cfg(test)]
mod tests;
