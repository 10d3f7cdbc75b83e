"""Every rule, shown a tree that keeps it and the same tree with one thing wrong."""

from . import CHECKS, imports, layers
from .source import Tree

_LIB = """#![doc = include_str!("../README.md")]

mod bucket;

use std::{fmt, sync::Arc};

use http::Request;

use self::bucket::Shard;
use crate::bucket::Other;

pub use self::bucket::Bucket;
"""

_README = """# portcullis-limits

Needs Rust 1.95. See `Bucket` and [`Bucket`](https://docs.rs/portcullis-limits).

```toml
[dependencies]
portcullis-limits = "0.1"
```

```rust
fn main() {}
```

| feature | default | adds | needs |
|---|---|---|---|
| `sqlite` | no | a store | sqlx |
"""

_MANIFEST = """[package]
name = "portcullis-limits"
description = "Limits"
repository.workspace = true
license.workspace = true
rust-version.workspace = true
readme = "README.md"
keywords = ["limits"]
categories = ["network-programming"]

[package.metadata.docs.rs]
all-features = true

[features]
default = []
sqlite = []

[dependencies]
http.workspace = true
"""

_SERVER = "examples/ingest-server/src/"
_CRATE = "crates/limits/"

_GOOD = {
    **{
        name: "text\n"
        for name in (
            "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md",
            "LICENSE-APACHE", "LICENSE-MIT", _CRATE + "CHANGELOG.md",
        )
    },
    "README.md": (
        "text\n\n| a |\n|---|\n| " + "word " * 25 + " |\n\n```text\n" + "word " * 25
        + "\n```\n\n[a link](https://docs.rs/" + "word/" * 25 + ")\n"
    ),
    "Cargo.toml": '[workspace.package]\nrust-version = "1.95"\n',
    _CRATE + "Cargo.toml": _MANIFEST,
    _CRATE + "README.md": _README,
    _CRATE + "src/lib.rs": _LIB,
    _CRATE + "src/bucket.rs": "//! One bucket.\n\npub struct Bucket;\n",
    _CRATE + "examples/memory.rs": "//! A limit in memory.\n\nfn main() {}\n",
    "crates/keyring/Cargo.toml": _MANIFEST,
    "crates/keyring/README.md": _README,
    "crates/keyring/CHANGELOG.md": "text\n",
    **{
        f"crates/{crate}/src/store/sqlite/transaction.rs": "//! Ends.\n"
        for crate in ("keyring", "apikey-cache")
    },
    **{
        f"crates/{folder}/postgres/write_transaction.rs": "//! Ends.\n"
        for folder in ("keyring/src/store", "dq-metrics/src/history")
    },
    "crates/keyring/examples/rotate.rs": "//! Rotates.\n\nfn main() {}\n",
    "examples/ingest-server/Cargo.toml": "[dependencies]\nhttp.workspace = true\n",
    "examples/ingest-server/README.md": "text\n",
    **{f"{_SERVER}{room}.rs": f"//! Does {room}.\n" for room in layers.RANK},
    _SERVER + "main.rs": "//! Starts the service.\n\nfn main() {}\n",
    _SERVER + "lib.rs": "//! The service.\n\nmod app;\n\npub use self::app::run;\n",
    _SERVER + "app.rs": "//! Assembles.\n\nuse crate::{backend::open, http::serve};\n",
    _SERVER + "backend.rs": "//! Opens.\n\nuse sqlx::SqlitePool;\n",
    _SERVER + "http.rs": "//! Serves.\n\nuse crate::{admin::A, store::Store};\n",
    _SERVER + "admin.rs": "//! Administers.\n",
    _SERVER + "config.rs": "//! Configures.\n\nmod database;\n\npub use self::database::Database;\n",
    _SERVER + "config/database.rs": (
        "//! Which.\n\npub enum Database {\n    Sqlite(u8),\n}\n\nimpl super::Named for Database {}\n"
    ),
    # A file and its own children may refer to each other.
    _SERVER + "pipeline.rs": (
        "//! The stages.\n\nmod parse;\nmod seal;\n\nuse self::parse::parse;\n\n"
        "pub use self::seal::Seal;\n"
    ),
    _SERVER + "pipeline/parse.rs": "//! Parses.\n\nuse super::{Parsed, seal::Seal};\n",
    _SERVER + "pipeline/seal.rs": "//! Seals.\n\nfn f() -> super::Parsed {}\n",
    _SERVER + "pipeline/seal/tests.rs": "//! Tests.\n\nuse crate::pipeline::parse::parse;\n",
    _SERVER + "store.rs": "//! Stores.\n\nuse crate::clock::Clock;\n",
    _SERVER + "clock.rs": "//! Time.\n\npub trait Clock {\n    fn wall(&self);\n}\n",
}

_BUCKET, _LIB_PATH = _CRATE + "src/bucket.rs", _CRATE + "src/lib.rs"
_README_PATH, _MANIFEST_PATH = _CRATE + "README.md", _CRATE + "Cargo.toml"
_HEAD = "//! Text.\n\n"

# (path, its text or None for no such file, what is said of it)
_BAD = [
    # files
    ("SECURITY.md", None, "is missing"),
    (_BUCKET, _HEAD + "// line\n" * 600, "600 is the limit"),
    (_CRATE + "src/bucket/mod.rs", _HEAD, "name it after its folder"),
    (_CRATE + "src/utils.rs", _HEAD, "name it after what lives there"),
    (_BUCKET, _HEAD + "// TO" + "DO\n", "unfinished"),
    (_BUCKET, _HEAD + "#[all" + "ow(dead_code)]\nfn f() {}\n", "unfinished"),
    (_BUCKET, _HEAD + "#[ign" + "ore]\nfn f() {}\n", "unfinished"),
    (_BUCKET, _HEAD + "// === impl Bucket ===\n", "no banners"),
    (_BUCKET, "pub struct Bucket;\n", "begins with a `//!` line"),
    (_CRATE + "examples/memory.rs", "fn main() {}\n", "begins with a `//!` line"),
    (_BUCKET, _HEAD + 'const DATA: &str = "/wo' + 'rk/data";\n', "path of one machine"),
    ("README.md", "word " * 25 + "\n", "wrap at 100"),
    ("README.md", "```text\nword\n```\n\n" + "word " * 25 + "\n", "README.md:5: over 120"),
    # imports
    (_BUCKET, _HEAD + "use std::fmt;\nuse std::io;\n", "one `use` for each root: merge"),
    (_BUCKET, _HEAD + "use {std::fmt, http::A};\n", "not one for several"),
    (_BUCKET, _HEAD + "use http::A;\n\nuse std::fmt;\n", "std come before external"),
    (_BUCKET, _HEAD + "use crate::A;\n\nuse http::A;\n", "external crates come before crate"),
    (_BUCKET, _HEAD + "use std::fmt;\nuse http::A;\n", "one blank line before the group"),
    (_BUCKET, _HEAD + "use http::A;\n\nuse tower::B;\n", "no blank line within"),
    (_BUCKET, _HEAD + "pub use crate::A;\n\nuse std::fmt;\n", "stand before `pub use`"),
    (_BUCKET, _HEAD + "use std::fmt;\npub use crate::A;\n", "stands between imports and"),
    (_BUCKET, _HEAD + "mod a;\n\npub use a::A;\n", "write `self::a`"),
    (_BUCKET, _HEAD + "mod a;\n\npub use self::a::A;\npub use self::a::B;\n", "merge with `self`"),
    (_BUCKET, _HEAD + "use std::fmt;\n\nmod a;\n", "declared before the imports"),
    (
        _BUCKET, _HEAD + "mod tests {\n    use std::fmt;\n    use std::io;\n}\n",
        "one `use` for each root: merge",
    ),
    # vocabulary
    (_BUCKET, _HEAD + "fn get_" + "level() {}\n", "without `get_`"),
    (_BUCKET, _HEAD + "struct Seat;\n", "`PendingCharge`"),
    (_BUCKET, _HEAD + "/// See [`NotInHand`].\nfn f() {}\n", "`KeyMissing`"),
    (_BUCKET, _HEAD + "/// Default, unless said\n/// otherwise.\nfn f() {}\n", "default: …"),
    (_BUCKET, _HEAD + "const PATIENCE: u32 = 1;\n", "say timeout"),
    *(
        ("README.md", words + "\n", "say learns of")
        for words in ("It hears of them.", "It is heard\nof.", "Hears what it does.", "hear about it")
    ),
    ("README.md", "Whoever has them.\n", "the caller"),
    (_BUCKET, _HEAD + "impl Clock for A {\n    fn now(&self) {}\n}\n", "`wall` or `monotonic`"),
    (_MANIFEST_PATH, _MANIFEST.replace("sqlite =", "sqlx ="), "name it `sqlite`"),
    (_SERVER + "app.rs", _HEAD + "struct Part;\n", "`ServiceTask`"),
    # crates
    (_CRATE + "CHANGELOG.md", None, "is missing"),
    (_README_PATH, None, "is missing"),
    ("examples/ingest-server/README.md", None, "is missing"),
    (_MANIFEST_PATH, _MANIFEST.replace('["limits"]', "[]"), "`keywords`"),
    (_MANIFEST_PATH, _MANIFEST.replace("categories", "category"), "`categories`"),
    (_MANIFEST_PATH, _MANIFEST.replace("repository", "homepage"), "`repository` is missing"),
    (_MANIFEST_PATH, _MANIFEST.replace("all-features = true", ""), "`all-features = true`"),
    (_MANIFEST_PATH, _MANIFEST.replace("default = []", ""), "states what is default"),
    (_MANIFEST_PATH, _MANIFEST.replace("http.workspace = true", 'http = "1"'), "root manifest"),
    (
        _MANIFEST_PATH, _MANIFEST + "portcullis-keyring.workspace = true\n",
        "limits does not depend on keyring",
    ),
    (_MANIFEST_PATH, _MANIFEST.replace("sqlite =", "tower = []\nsqlite ="), "not in the table"),
    (_README_PATH, _README.replace("`sqlite`", "`postgres`"), "not in Cargo.toml"),
    (_README_PATH, _README.split("| feature")[0], "a table"),
    (_README_PATH, _README.replace("Rust 1.95", "Rust 1.90"), "says the oldest compiler"),
    (_README_PATH, _README.replace("```rust", "```"), "the fence has no language"),
    (_README_PATH, _README.replace("```rust", "```rust,ignore"), "every Rust fence compiles"),
    (_README_PATH, _README.replace("fn main", "# fn main"), "a hidden line"),
    (_README_PATH, _README.replace("[dependencies]", "[deps]"), "shows `[dependencies]`"),
    (_README_PATH, _README.replace("See `Bucket`", "See [`Bucket`]"), "leads nowhere"),
    (_README_PATH, _README.replace("https://docs.rs/portcullis-limits", "crate::A"), "leads nowhere"),
    # examples
    (_CRATE + "examples/memory.rs", None, "no example that runs"),
    (_CRATE + "examples/rotate.rs", _HEAD, "cargo puts both into one file"),
    (_CRATE + "examples/memory.rs", _HEAD + "#[test]\nfn f() {}\n", "asserts in `main`"),
    (_CRATE + "tests/a.rs", "fn f() {\n    memory::main();\n}\n", "scripts/examples runs"),
    (_CRATE + "tests/a.rs", 'fn f() {\n    run("target/debug/examples/a");\n}\n', "scripts/examples"),
    (
        _MANIFEST_PATH, _MANIFEST + '[[example]]\nname = "memory"\ntest = true\n',
        "example `memory`: scripts/examples runs it",
    ),
    (_README_PATH, _README + "`cargo run --example full`\n", "no example `full`"),
    (_README_PATH, _README + "`cargo run --example memory`, or\n`full`\n", "no example `full`"),
    (
        _README_PATH, _README + "| `cargo run --example …` | shows |\n|---|---|\n| `full -F a` | a |\n",
        "no example `full`",
    ),
    (_BUCKET, _HEAD + 'const A: &str = "the example \\\n    `full`";\n', "no example `full`"),
    (_BUCKET, _HEAD + "/// The example\n/// `full`.\nfn f() {}\n", "no example `full`"),
    ("README.md", "See the example [`full`](full.rs).\n", "no example `full`"),
    # layers
    (_SERVER + "store.rs", _HEAD + "use crate::http::serve;\n", "`store` is below `http`"),
    (_SERVER + "store.rs", _HEAD + "fn f() {\n    crate::run();\n}\n", "`store` is below `app`"),
    (_SERVER + "store.rs", _HEAD + "fn f() {\n    super::admin::g();\n}\n", "is below `admin`"),
    (_SERVER + "store/a.rs", _HEAD + "use super::super::http::A;\n", "`store` is below `http`"),
    (_SERVER + "misc.rs", _HEAD, "`misc` has no rank"),
    (_SERVER + "app.rs", _HEAD + "use crate::store::SqliteStore;\n", "know the database"),
    (_SERVER + "admin.rs", _HEAD + "use sqlx::Row;\n", "know the database"),
    (
        _SERVER + "admin.rs",
        _HEAD + "fn f() {\n    serde_json::from_slice(b\"1\");\n}\n",
        "is read by `json`",
    ),
    (
        _SERVER + "admin.rs",
        _HEAD + "use crate::http::serve;\n\nfn f() {}\n",
        "a circle",
    ),
    (_SERVER + "backend.rs", None, "backend.rs:1: is missing"),
    (
        "crates/keyring/src/store/sqlite/transaction.rs", _HEAD + "struct Other;\n",
        "is not the same as",
    ),
    (
        "crates/keyring/src/store/postgres/write_transaction.rs", _HEAD + "struct Other;\n",
        "is not the same as",
    ),
    (
        _SERVER + "admin.rs", _HEAD + "fn f() {\n    Database::Sqlite(1);\n}\n",
        "know the database",
    ),
    (
        _SERVER + "pipeline/seal.rs", _HEAD + "use crate::pipeline::parse::parse;\n",
        "in `pipeline`: parse → seal → parse",
    ),
    # By a name that their parent passes on.
    (
        _SERVER + "pipeline/seal.rs", _HEAD + "use super::parse;\n",
        "in `pipeline`: parse → seal → parse",
    ),
    (
        _SERVER + "pipeline/seal/content.rs",
        _HEAD + "fn f() {\n    super::super::parse::parse();\n}\n",
        "in `pipeline`: parse → seal → parse",
    ),
    (
        _SERVER + "pipeline/seal.rs",
        _HEAD + "mod inner {\n    use super::super::parse::parse;\n}\n",
        "in `pipeline`: parse → seal → parse",
    ),
]

# Imports as they may stand, and as `--fix-imports` writes them before rustfmt.
_FIXED = [
    (
        "use crate::b::B;\nuse std::fmt;\nuse std::sync::Arc;\nuse std::fmt::Debug;\n",
        "use std::{fmt::{self, Debug}, sync::Arc};\n\nuse crate::b::B;\n",
    ),
    (
        "use http::A;\npub use a::A;\nuse a::B;\n\nmod a;\n",
        "mod a;\n\nuse http::A;\n\nuse self::a::B;\n\npub use self::a::A;\n",
    ),
    (
        "use std::io::Write as _;\n#[cfg(unix)]\nuse std::os;\nuse std::fmt::Write as _;\n",
        "use std::{fmt::Write as _, io::Write as _};\n#[cfg(unix)]\nuse std::os;\n",
    ),
    (
        "mod tests {\n    use super::*;\n    use std::fmt;\n}\n",
        "mod tests {\n    use std::fmt;\n\n    use super::*;\n}\n",
    ),
]


def _findings(tree):
    return [finding for check in CHECKS for finding in check(tree)]


def run():
    failures = [f"a good tree: {finding}" for finding in _findings(Tree(_GOOD))]
    for path, text, expected in _BAD:
        texts = {**_GOOD, path: text}
        if text is None:
            del texts[path]
        found = _findings(Tree(texts))
        if not any(expected in finding for finding in found):
            failures.append(f"not found: {expected!r} in {path}; found: {found}")
    for before, after in _FIXED:
        fixed = imports.fix(_HEAD + before, "a.rs")
        if fixed != _HEAD + after:
            failures.append(f"--fix-imports made of {before!r}: {fixed!r}")
        if imports.fix(fixed, "a.rs") != fixed:
            failures.append(f"--fix-imports changes twice: {before!r}")
    for failure in failures:
        print(failure)
    if not failures:
        print(f"tidy: finds each of {len(_BAD)} faults, and sets {len(_FIXED)} heads right")
    return 1 if failures else 0
