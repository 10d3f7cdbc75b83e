//! The decision at the start of a trace, as variables ask for it.

use super::{EnvironmentError, reader::Reader, syntax};
use crate::sampling::{Head, ParentDecision, Ratio};

pub(super) const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
pub(super) const SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";

impl Reader<'_> {
    pub(super) fn head(&mut self) -> Option<Head> {
        let ratio = self.parsed(&[SAMPLER_ARG], "a number from 0 to 1", syntax::ratio);
        let sampler = self.parsed(
            &[SAMPLER],
            "`always_on`, `always_off`, `traceidratio` or one of these after `parentbased_`",
            sampler,
        );
        let has_argument = self.environment.is_set(SAMPLER_ARG);
        let Some((parent, root)) = sampler else {
            if has_argument && !self.environment.is_set(SAMPLER) {
                let expected = "unset without OTEL_TRACES_SAMPLER: nothing else reads it";
                self.refuse_argument(expected);
            }
            return None;
        };
        let ratio = match (root, ratio) {
            (Root::AlwaysOn | Root::AlwaysOff, _) if has_argument => {
                self.refuse_argument("unset for this sampler, which takes no argument");
                return None;
            }
            (Root::AlwaysOn, _) => Ratio::ALL,
            (Root::AlwaysOff, _) => Ratio::NONE,
            (Root::Ratio, Some(ratio)) => ratio,
            (Root::Ratio, None) => {
                let expected = "set for this sampler, which would export every trace without it";
                self.refuse_argument(expected);
                return None;
            }
        };
        Some(Head { ratio, parent })
    }

    fn refuse_argument(&mut self, expected: &'static str) {
        let variable = SAMPLER_ARG;
        self.refuse(EnvironmentError { variable, expected });
    }
}

#[derive(Clone, Copy)]
enum Root {
    AlwaysOn,
    AlwaysOff,
    Ratio,
}

fn sampler(name: &str) -> Option<(ParentDecision, Root)> {
    let name = name.to_ascii_lowercase();
    let (parent, root) = match name.strip_prefix("parentbased_") {
        Some(root) => (ParentDecision::Follow, root),
        None => (ParentDecision::Ignore, name.as_str()),
    };
    let root = match root {
        "always_on" => Root::AlwaysOn,
        "always_off" => Root::AlwaysOff,
        "traceidratio" => Root::Ratio,
        _ => return None,
    };
    Some((parent, root))
}
