//! The audit log: where it is, what it is called, what is put in it and for how long.

mod anchors;
mod archive;
mod members;
mod reach;
mod sink_files;
mod sinks;

use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::Arc,
};

use portcullis_audit_log::note::KeyName;

use super::{
    database, given::Given, origin::Origin, permissions, policy_file, problems::Problems,
    profile::Profile, setting::Setting, settings, sources::Sources,
};
use crate::{
    audit::{DATABASE, DATABASE_FILE, ReasonCodes, WriteRecords},
    files,
};

pub(crate) use self::{
    anchors::{AnchorPlace, Witness},
    archive::ArchivePlace,
    reach::Reach,
    sinks::{AuditSink, GivenSinks, Receiver, WebhookTexts},
};

/// Ten years: longer is never.
const MOST_DAYS: u32 = 3_650;

/// What the audit log is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuditStore {
    /// Files: each process has a log of its own.
    File,
    /// A database: all processes of the machine write one log.
    Database,
}

/// The audit log of this process.
#[derive(Debug, Clone)]
pub(crate) struct Audit {
    pub(crate) store: AuditStore,
    /// The folder that all of it is in: one folder below for each process, or for the database.
    pub(crate) folder: PathBuf,
    /// What the log is called, and the keys that sign it.
    pub(crate) origin: KeyName,
    /// Where its checkpoints are kept beside it.
    pub(crate) anchors: Vec<AnchorPlace>,
    /// Where all of it is kept, and is never taken away.
    pub(crate) archive: Option<ArchivePlace>,
    /// Where its entries are delivered to.
    pub(crate) sinks: Arc<[AuditSink]>,
    /// What a stated reason may begin with.
    pub(crate) reasons: ReasonCodes,
    /// How ordinary writes are recorded.
    pub(crate) writes: WriteRecords,
    /// For how many days entries are kept.
    pub(crate) days: NonZeroU32,
    /// For how many days what people typed and where they came from is kept; no longer than entries.
    pub(crate) personal_days: NonZeroU32,
    /// Whether nothing goes, however old it is and also if somebody asks for it.
    pub(crate) is_held: bool,
}

pub(super) fn read(
    sources: &Sources,
    profile: Profile,
    data_dir: &Path,
    problems: &mut Problems,
) -> Option<Audit> {
    let store = store(sources, problems);
    let folder = database::folder(settings::AUDIT_DIR, sources, problems);
    let folder = folder.unwrap_or_else(|| data_dir.join("audit"));
    let origin = origin(sources, profile, problems);
    let anchors = anchors::read(sources, profile, &folder, origin.as_ref(), problems);
    let archive = archive::read(sources, profile, &folder, problems);
    let sinks = sinks(sources, profile, problems);
    let own = sink_files::Own::new(sources, data_dir, &folder).kept(
        anchors.as_deref(),
        archive.as_ref().and_then(Option::as_ref),
    );
    own.check(&sinks, &sources.origin(settings::AUDIT_SINKS), problems);
    exposed_logs(sources, profile, &folder, problems);
    let reasons = reasons(sources, problems);
    let writes = sources.value(settings::AUDIT_WRITES).and_then(|given| {
        let writes = WriteRecords::from_word(&given.text);
        if writes.is_none() {
            problems.add(&given.origin, "must be `off`, `summary` or `each`");
        }
        writes
    });
    let is_held = is_held(sources, problems);
    let [days, personal_days] = [
        settings::AUDIT_RETENTION,
        settings::AUDIT_PERSONAL_RETENTION,
    ]
    .map(|setting| days(setting, sources, problems));
    if let (Some(days), Some(personal_days)) = (days, personal_days)
        && personal_days > days
    {
        let message = format!(
            "must not be longer than {}",
            settings::AUDIT_RETENTION.variable
        );
        let origin = sources.origin(settings::AUDIT_PERSONAL_RETENTION);
        problems.add(&origin, message);
    }
    Some(Audit {
        store: store?,
        folder,
        origin: origin?,
        anchors: anchors?,
        archive: archive?,
        sinks,
        reasons: reasons?,
        writes: writes?,
        days: days?,
        personal_days: personal_days?,
        is_held: is_held?,
    })
}

/// Who else can read or change the logs. What lies in a folder for one user alone needs no look, but for the
/// database, of which copies lie beside it as somebody has made them.
fn exposed_logs(sources: &Sources, profile: Profile, folder: &Path, problems: &mut Problems) {
    let origin = sources.origin(settings::AUDIT_DIR);
    let mut found = files::of_folder(folder);
    // Those above it are told under the data folder.
    if sources.given(settings::AUDIT_DIR).is_some() {
        found.extend(files::of_parents(&folder.join(DATABASE)));
    }
    for file in permissions::entries(&folder.join(DATABASE), &[DATABASE_FILE]) {
        found.extend(files::of_file(&file));
    }
    for message in found {
        problems.add_as(profile.danger(), &origin, message);
    }
}

fn store(sources: &Sources, problems: &mut Problems) -> Option<AuditStore> {
    let Given { text, origin } = sources.value(settings::AUDIT_STORE)?;
    match text.as_str() {
        "file" => Some(AuditStore::File),
        "database" => Some(AuditStore::Database),
        _ => {
            problems.add(&origin, "must be `file` or `database`");
            None
        }
    }
}

fn is_held(sources: &Sources, problems: &mut Problems) -> Option<bool> {
    let Given { text, origin } = sources.value(settings::AUDIT_HOLD)?;
    match text.as_str() {
        "off" => Some(false),
        "on" => Some(true),
        _ => {
            problems.add(&origin, "must be `off` or `on`");
            None
        }
    }
}

/// None where no file is named, or it cannot be used, which is a problem then.
fn sinks(sources: &Sources, profile: Profile, problems: &mut Problems) -> Arc<[AuditSink]> {
    let given = policy_file::read::<GivenSinks>(settings::AUDIT_SINKS, sources, problems);
    let Some(given) = given else {
        return Arc::default();
    };
    let origin = sources.origin(settings::AUDIT_SINKS);
    secret_files(&given.policy.secret_files, profile, &origin, problems);
    // Who can change where entries go can have them.
    let path = given.file.path();
    let found = files::of_changeable_file(path).into_iter();
    for message in found.chain(files::of_parents(path)) {
        problems.add_as(profile.danger(), &origin, message);
    }
    given.policy.sinks.into()
}

/// Who else can read or change what stands in a file of its own.
fn secret_files(secrets: &[PathBuf], profile: Profile, origin: &Origin, problems: &mut Problems) {
    for secret in secrets {
        let found = files::of_file(secret).into_iter();
        for message in found.chain(files::of_parents(secret)) {
            problems.add_as(profile.danger(), origin, message);
        }
    }
}

fn reasons(sources: &Sources, problems: &mut Problems) -> Option<ReasonCodes> {
    let given = sources.value(settings::ACCESS_REASONS)?;
    let codes = ReasonCodes::configured(&given.text);
    let told = codes.map_err(|error| problems.add(&given.origin, error.to_string()));
    told.ok()
}

/// Who verifies a log goes by its name: two logs of one name look like one that says two things.
fn origin(sources: &Sources, profile: Profile, problems: &mut Problems) -> Option<KeyName> {
    let given = sources.value(settings::AUDIT_ORIGIN)?;
    let expected = "a name without spaces and `+`, such as `ingest.example/audit`";
    let origin: KeyName = given.parse(expected, problems)?;
    if origin.as_str().len() > MOST_NAME || origin.as_str().ends_with('/') {
        problems.add(
            &given.origin,
            format!("must be {expected}, of at most {MOST_NAME} bytes"),
        );
        return None;
    }
    if profile == Profile::Production && sources.given(settings::AUDIT_ORIGIN).is_none() {
        let message =
            "is not set: name the log, so that it can be told from that of another service";
        problems.warn(settings::AUDIT_ORIGIN.variable, message);
    }
    Some(origin)
}

/// What is left of 256 bytes for the name of a process behind it.
const MOST_NAME: usize = 200;

fn days(setting: &Setting, sources: &Sources, problems: &mut Problems) -> Option<NonZeroU32> {
    let given = sources.value(setting)?;
    let expected = format!("a whole number of days, 1 to {MOST_DAYS}");
    let days: NonZeroU32 = given.parse(&expected, problems)?;
    if days.get() > MOST_DAYS {
        problems.add(&given.origin, format!("must be {expected}"));
        return None;
    }
    Some(days)
}
