//! A secret as text: from the variable itself, from the file that `…_FILE` names, or from where it was fetched.

use std::path::Path;

use secrecy::SecretString;

use crate::{
    config::{
        given::Given, origin::Origin, problems::Problems, setting::Setting, settings,
        sources::Sources,
    },
    files,
};

/// Far more than a dozen versions take.
const MAX_BYTES: usize = 16 * 1024;

/// The text of a secret that has to be there. What is yet to be fetched is not missed.
pub(super) fn required(
    sources: &Sources,
    setting: &Setting,
    problems: &mut Problems,
) -> Option<Given<SecretString>> {
    if is_set(sources, setting) {
        return optional(sources, setting, problems);
    }
    let message = match sources.fetched() {
        Some(fetched) => format!("is missing; set it in {}", fetched.place()),
        None if is_awaited(sources) => return None,
        None => format!("is missing; set it or {}", setting.file_variable()),
    };
    problems.add_variable(setting.variable, message);
    None
}

/// Whether secrets are to be fetched and were not yet.
pub(super) fn is_awaited(sources: &Sources) -> bool {
    let place = sources.value(settings::SECRETS);
    sources.fetched().is_none() && place.is_some_and(|place| place.text != "env")
}

/// Whether some source says anything of a secret, usable or not.
pub(in crate::config) fn is_set(sources: &Sources, setting: &Setting) -> bool {
    let file_variable = setting.file_variable();
    sources.secret(setting).is_some()
        || sources.variable(&file_variable).is_some()
        || [setting.variable, &file_variable]
            .iter()
            .any(|it| sources.is_no_text(it))
}

/// The text of a secret, from the variable itself or from the file that `…_FILE` names. None where it is
/// unset, and where it cannot be used, which is told.
pub(in crate::config) fn optional(
    sources: &Sources,
    setting: &Setting,
    problems: &mut Problems,
) -> Option<Given<SecretString>> {
    let file_variable = setting.file_variable();
    match (sources.secret(setting), sources.variable(&file_variable)) {
        (Some(given), Some(_)) if matches!(given.origin, Origin::Variable(_)) => {
            let message = format!("is set, and {file_variable} too; keep one");
            problems.add(&given.origin, message);
            None
        }
        (_, Some(path)) => file(path, problems),
        (given, None) => given,
    }
}

/// The text of `…_PRIMARY`, or of the file that `…_PRIMARY_FILE` names, or of what was fetched beside the secret.
pub(super) fn primary(
    sources: &Sources,
    setting: &Setting,
    problems: &mut Problems,
) -> Option<Given<SecretString>> {
    let (variable, file_variable) = (setting.primary_variable(), setting.primary_file_variable());
    let given = sources.variable(&variable);
    match (given, sources.variable(&file_variable)) {
        (Some(given), Some(_)) => {
            let message = format!("is set, and {file_variable} too; keep one");
            problems.add(&given.origin, message);
            None
        }
        (_, Some(path)) => file(path, problems),
        (Some(Given { text, origin }), None) => Some(Given {
            text: text.into(),
            origin,
        }),
        (None, None) => sources.fetched()?.text(&variable),
    }
}

/// One line, which may end with a line break.
fn file(path: Given, problems: &mut Problems) -> Option<Given<SecretString>> {
    let Given { text: path, origin } = path;
    let content = match files::read_text(Path::new(&path), MAX_BYTES) {
        Ok(content) => content,
        Err(error) => {
            problems.add(&origin, format!("names what {error}"));
            return None;
        }
    };
    let wrong = match files::secret_text(&content) {
        Ok(text) if text.contains(['\n', '\r']) => {
            "names a file of several lines; put all of it on one"
        }
        Ok(text) => {
            return Some(Given {
                text: text.into(),
                origin,
            });
        }
        Err(wrong) => wrong,
    };
    problems.add(&origin, wrong);
    None
}
