//! Members of what was fetched that are no secrets, or cannot be used.

use secrecy::ExposeSecret as _;

use crate::{
    config::{
        fetched::Fetched,
        file::looks_like_a_name,
        origin::Origin,
        problems::Problems,
        setting::{Secrecy, Setting},
        settings,
        sources::Sources,
    },
    spelling,
};

/// Finds what is there and is no secret, and what the environment says too.
pub(super) fn check(fetched: &Fetched, sources: &Sources, problems: &mut Problems) {
    for variable in fetched.secrets().variables() {
        let known = settings::secrets().find(|it| stands_for(it, variable));
        let Some(setting) = known else {
            tell_unknown(fetched, variable, problems);
            continue;
        };
        let origin = fetched.origin(variable);
        let file = format!("{variable}_FILE");
        for other in [variable, &file] {
            if sources.variable(other).is_some() || sources.is_no_text(other) {
                problems.add(&origin, format!("is set, and {other} too; keep one"));
            }
        }
        let text = fetched.secrets().get(variable);
        // EXPOSE: whether it is one line.
        let text = text.map(|text| text.expose_secret().trim());
        if text.is_none_or(|text| text.is_empty() || text.contains(char::is_control)) {
            let message = format!("must be one line: {}", setting.hint);
            problems.add(&origin, message);
        }
    }
}

/// Without the name if that does not look like one: it may be a secret in the wrong place.
fn tell_unknown(fetched: &Fetched, name: &str, problems: &mut Problems) {
    if !looks_like_a_name(name) {
        let whole = Origin::SecretObject(fetched.place().to_owned());
        problems.add(&whole, "has a member that is no name of a secret");
        return;
    }
    let is_setting = settings::ALL.iter().any(|it| it.variable == name);
    let known = settings::secrets().flat_map(Setting::variables);
    let known = known.filter(|variable| !variable.ends_with("_FILE"));
    if is_setting {
        let message = "is no secret: set it in the environment";
        problems.add(&fetched.origin(name), message);
    } else if let Some(meant) = spelling::nearest(name, known) {
        let message = format!("is no secret of this service; did you mean {meant}?");
        problems.add(&fetched.origin(name), message);
    } else {
        problems.warn(fetched.origin(name), "is no secret of this service");
    }
}

/// A file cannot be named there.
fn stands_for(setting: &Setting, variable: &str) -> bool {
    let is_primary =
        setting.secrecy == Secrecy::VersionedSecret && variable == setting.primary_variable();
    setting.variable == variable || is_primary
}
