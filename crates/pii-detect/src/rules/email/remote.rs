//! Where a program logs in, `git@host:owner/repository`: nobody's address.

const LOGINS: [&str; 6] = ["git", "hg", "svn", "gitlab", "gitea", "forgejo"];
const SCHEMES: [&str; 6] = [
    "ssh://",
    "git://",
    "sftp://",
    "rsync://",
    "svn+ssh://",
    "git+ssh://",
];
const HOSTS: [&str; 5] = [
    "github.com",
    "gitlab.com",
    "bitbucket.org",
    "codeberg.org",
    "dev.azure.com",
];
/// Accounts of machines, under which nobody gets mail.
const ACCOUNTS: [&str; 9] = [
    "root", "deploy", "ubuntu", "ec2-user", "debian", "centos", "vagrant", "www-data", "aws",
];
const MAX_PATH_CHARS: usize = 200;

/// Whether `local@domain`, which begins at `start` and ends at `end`, is part of the address of a
/// repository or of a folder on another machine.
pub(super) fn is_remote(text: &str, start: usize, local: &str, domain: &str, end: usize) -> bool {
    let is = |name: &&str| local.eq_ignore_ascii_case(name);
    let before = &text.as_bytes()[..start];
    let in_url = SCHEMES
        .iter()
        .any(|scheme| before.ends_with(scheme.as_bytes()));
    LOGINS.iter().any(is)
        || in_url
        || path(&text[end..]).is_some_and(|path| {
            let on_machine = ACCOUNTS.iter().any(is) || names_machine(domain);
            names_files(path, domain) || on_machine && has_folders(path)
        })
}

/// What stands behind the colon of `user@host:path`.
fn path(after: &str) -> Option<&str> {
    let path = after.strip_prefix(':')?;
    let is_part =
        |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '~' | '+' | '@' | '%');
    let end = path
        .char_indices()
        .take(MAX_PATH_CHARS)
        .find(|(_, c)| !is_part(*c))
        .map_or_else(|| floor(path), |(index, _)| index);
    Some(&path[..end])
}

fn floor(path: &str) -> usize {
    path.char_indices()
        .nth(MAX_PATH_CHARS)
        .map_or(path.len(), |(index, _)| index)
}

/// Whether the domain is deeper than those of which addresses are made: `web.example.com`, but not
/// `example.co.uk`.
fn names_machine(domain: &str) -> bool {
    let mut labels = domain.rsplit('.');
    let country = labels.next().is_some_and(|label| label.len() == 2);
    let second = labels.next().unwrap_or_default();
    let shared = country && matches!(second, "ac" | "co" | "com" | "edu" | "gov" | "net" | "org");
    labels.count() > usize::from(shared)
}

/// `folder/file`, and no port.
fn has_folders(path: &str) -> bool {
    let (first, rest) = path.split_once('/').unwrap_or_default();
    !first.is_empty() && !rest.is_empty() && !starts_with_port(path)
}

fn starts_with_port(path: &str) -> bool {
    path.split('/')
        .next()
        .is_some_and(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

/// Anything may stand behind `bob@example.com:`, but not a path from the root, a repository, or a
/// path on a host that keeps those.
fn names_files(path: &str, domain: &str) -> bool {
    let keeps_repositories = HOSTS.iter().any(|host| {
        domain
            .len()
            .checked_sub(host.len())
            .and_then(|at| domain.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(host))
    }) || domain
        .split('.')
        .any(|label| matches!(label, "git" | "gitlab" | "gitea" | "ssh" | "hg" | "svn"));
    path.starts_with('/')
        || path.starts_with("~/")
        || path.trim_end_matches('.').ends_with(".git")
        || path.contains(".git/")
        || keeps_repositories && path.contains('/') && !starts_with_port(path)
}
