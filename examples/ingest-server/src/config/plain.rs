//! What holds for every setting that is not secret, whatever it means.

use super::{given::Given, problems::Problems, settings, sources::Sources};

/// Refuses blanks that nobody sees and texts that are empty: each would be taken for something else
/// than was meant. In the environment, empty counts as unset.
pub(super) fn check(sources: &Sources, problems: &mut Problems) {
    for setting in settings::ALL.iter().filter(|setting| !setting.is_secret()) {
        let Some(Given { text, origin }) = sources.given(setting) else {
            continue;
        };
        let inner = text.trim();
        if inner.is_empty() && text.is_empty() && setting.is_none_when_empty() {
            continue;
        }
        if inner.is_empty() {
            problems.add(&origin, "is empty; leave it out to have the default");
        } else if inner.len() < text.len() {
            problems.add(&origin, "has a blank or a line break before or after it");
        } else if text.contains(char::is_control) {
            problems.add(&origin, "has a control character in it");
        }
    }
}
