//! Which log lines are written: a filter of which some part can never match is refused.

use std::collections::BTreeSet;

use tracing_subscriber::{EnvFilter, filter::Targets};

/// What is wrong with a filter, without a word of it.
///
/// The telemetry crate takes the filters of [`Targets`], which is lenient: to it `=` is the level
/// ERROR for every target, `inof` a target of that name, and of two directives for one target the
/// last one counts.
pub(super) fn problems(filter: &str) -> Vec<String> {
    let is_filter = filter.split(',').all(is_whole)
        && !filter.contains(['[', ']', '{', '}'])
        && filter.parse::<Targets>().is_ok()
        && EnvFilter::try_new(filter).is_ok();
    if !is_filter {
        return vec!["is not a filter; write for example `info,ingest_server=debug`".to_owned()];
    }
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for (index, directive) in filter.split(',').enumerate() {
        let target = target(directive);
        let entry = index + 1;
        if !seen.insert(target) {
            let what = if target.is_empty() {
                "a level for everything"
            } else {
                "a target"
            };
            problems.push(format!("entry {entry} repeats {what}"));
        }
        if !target.is_empty() && !is_known(target) {
            problems.push(format!(
                "entry {entry} names no part of this program, such as `ingest_server`, `hyper` or \
                 `sqlx`"
            ));
        }
    }
    problems
}

fn is_whole(directive: &str) -> bool {
    let (target, level) = directive.split_once('=').unwrap_or((directive, "-"));
    !target.trim().is_empty() && !level.trim().is_empty()
}

/// The target of a directive; none where it is a level for everything.
fn target(directive: &str) -> &str {
    match directive.split_once('=') {
        Some((target, _)) => target,
        None if directive
            .parse::<tracing_subscriber::filter::LevelFilter>()
            .is_ok() =>
        {
            ""
        }
        None => directive,
    }
}

/// The packages the program may consist of.
const LOCK: &str = include_str!("../../../../../Cargo.lock");
/// Its own modules.
const ROOT: &str = include_str!("../../lib.rs");
/// Targets that are no module's.
const OTHERS: [&str; 1] = ["panic"];

/// A target is the path of a module, and a directive counts for every one that begins with it.
fn is_known(target: &str) -> bool {
    let (name, rest) = target
        .split_once("::")
        .map_or((target, None), |(name, rest)| (name, Some(rest)));
    let packages = LOCK.lines().filter_map(|line| {
        let name = line.strip_prefix("name = \"")?.strip_suffix('"')?;
        Some(name.replace('-', "_"))
    });
    let mut names = packages.chain(OTHERS.map(str::to_owned));
    match rest {
        None => names.any(|known| known.starts_with(name)),
        Some(rest) if name == env!("CARGO_CRATE_NAME") => is_own_module(rest),
        Some(_) => names.any(|known| known == name),
    }
}

fn is_own_module(path: &str) -> bool {
    let mut modules = ROOT
        .lines()
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    match path.split_once("::") {
        Some((name, _)) => modules.any(|module| module == name),
        None => modules.any(|module| module.starts_with(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::problems;

    #[test]
    fn a_directive_that_can_match_is_taken() {
        for filter in [
            "info",
            "OFF",
            "3",
            "info,ingest_server=debug",
            "warn,ingest_server::pipeline=trace,hyper=off",
            "portcullis=debug",
            "sqlx::query=warn",
            "error,panic=info",
            "ingest_server",
        ] {
            assert_eq!(problems(filter), [""; 0], "{filter}");
        }
    }

    #[test]
    fn a_directive_that_can_never_match_is_told_by_its_entry() {
        for (filter, expected) in [
            ("ingest_servr=debug", "entry 1 names no part"),
            ("ingest-server=debug", "entry 1 names no part"),
            ("info,Hyper=debug", "entry 2 names no part"),
            ("inof", "entry 1 names no part"),
            (
                "info,ingest_server::pipelines=debug",
                "entry 2 names no part",
            ),
            (
                "info,ingest_server::config2::x=debug",
                "entry 2 names no part",
            ),
            (
                "info,hyper::=debug,nowhere::x=warn",
                "entry 3 names no part",
            ),
            ("info,warn", "entry 2 repeats a level"),
            ("info,hyper=warn,hyper=debug", "entry 3 repeats a target"),
            ("info,[span]=debug", "is not a filter"),
            ("info,hyper[span{field=1}]=debug", "is not a filter"),
            ("hyper{a}=debug", "is not a filter"),
            ("info,hyper=loud", "is not a filter"),
            ("6", "entry 1 names no part"),
            ("-1", "entry 1 names no part"),
        ] {
            let found = problems(filter);
            assert!(
                found.len() == 1 && found[0].starts_with(expected),
                "{filter}: {found:?}"
            );
        }
    }
}
