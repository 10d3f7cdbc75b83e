"""What every library crate brings, so that it can be published; which crate may use which."""

import re
import tomllib

from .source import finding

# A crate of the workspace may depend on these of it, and on no other.
_MAY_USE = {
    "apikey-cache": {"versioned-secrets"},
    "keyring": {"versioned-secrets"},
    "pii-crypto": {"keyring", "pii-derive"},
    "ratelimit": {"breaker"},
    "telemetry": {"pii-detect"},
}
# A macro is tested with the crates that it is used with: by their paths alone, since the macro is published first.
_TESTED_WITH = {"pii-derive": {"keyring", "pii-crypto"}}
_TABLES = ("dependencies", "dev-dependencies", "build-dependencies")
_FENCE = re.compile(r"^([ \t]*)(`{3,})([^\n`]*)\n(.*?)^\1\2[ \t]*$", re.M | re.S)
_HIDDEN = re.compile(r"^[ \t]*#(?: .*)?$", re.M)
_INLINE_CODE = re.compile(r"`[^`\n]*`")
_SHORTCUT = re.compile(r"\[`[^`\]]+`\](?![(\[:])")
_RUSTDOC_TARGET = re.compile(r"\]\((?:(?:crate|self|super)::|[\w]+(?:::\w+)+|[A-Z]\w*\))")


def check(tree):
    version = tomllib.loads(tree.text("Cargo.toml"))["workspace"]["package"]["rust-version"]
    for folder in tree.libraries():
        manifest = tree.files[f"{folder}/Cargo.toml"]
        parsed = tomllib.loads(manifest.text)
        yield from _manifest(manifest, parsed)
        yield from _companions(tree, folder)
        if readme := tree.files.get(f"{folder}/README.md"):
            yield from _readme(readme, parsed.get("features", {}), version)
    for manifest in tree.matching(r"(?:crates|examples)/[^/]+/Cargo\.toml"):
        yield from _dependencies(manifest, tomllib.loads(manifest.text))
    for folder in tree.matching(r"examples/[^/]+/Cargo\.toml"):
        path = folder.path.replace("Cargo.toml", "README.md")
        if tree.text(path) is None:
            yield f"{path}:1: is missing"


def _manifest(file, parsed):
    package = parsed["package"]
    if not 1 <= len(package.get("keywords", ())) <= 5:
        yield f"{file.path}:1: `keywords` has one to five"
    if any(len(keyword) > 20 for keyword in package.get("keywords", ())):
        yield f"{file.path}:1: a keyword has at most 20 characters"
    if not 1 <= len(package.get("categories", ())) <= 5:
        yield f"{file.path}:1: `categories` has one to five"
    for key in ("description", "readme", "repository", "license", "rust-version"):
        if key not in package:
            yield f"{file.path}:1: `{key}` is missing"
    docs = package.get("metadata", {}).get("docs", {}).get("rs", {})
    if docs.get("all-features") is not True:
        yield f"{file.path}:1: `[package.metadata.docs.rs]` has `all-features = true`"
    if "default" not in parsed.get("features", {"default": []}):
        yield f"{file.path}:1: `[features]` states what is default"


def _companions(tree, folder):
    for name in ("README.md", "CHANGELOG.md"):
        if tree.text(f"{folder}/{name}") is None:
            yield f"{folder}/{name}:1: is missing"


def _readme(file, features, version):
    yield from _fences(file)
    # The same length, so that offsets stay.
    prose = _FENCE.sub(lambda fence: re.sub(r"[^\n]", " ", fence[0]), file.text)
    for pattern in (_SHORTCUT, _RUSTDOC_TARGET):
        for match in pattern.finditer(prose):
            if not re.search(rf"^{re.escape(match[0])}: ", prose, re.M):
                yield finding(
                    file, match.start(), f"the link {match[0]} leads nowhere outside rustdoc"
                )
    # `1.95`, and not as a part of a longer number.
    if not re.search(rf"\bRust {re.escape(version)}(?![\d])", prose):
        yield f"{file.path}:1: says the oldest compiler: `Rust {version}`"
    yield from _features(file, prose, set(features) - {"default"})


def _fences(file):
    has_dependencies = False
    for fence in _FENCE.finditer(file.text):
        language = fence[3].strip()
        if not language:
            yield finding(file, fence.start(), "the fence has no language")
        if language == "toml" and re.search(r"^\[dependencies\]", fence[4], re.M):
            has_dependencies = True
        if re.match(r"rust\b", language):
            if "ignore" in language:
                yield finding(file, fence.start(), "`ignore`: every Rust fence compiles")
            if hidden := _HIDDEN.search(fence[4]):
                yield finding(
                    file, fence.start(4) + hidden.start(), "a hidden line is shown on a forge"
                )
    if not has_dependencies:
        yield f"{file.path}:1: a `toml` fence shows `[dependencies]` for the examples"


def _features(file, prose, features):
    table = re.search(r"^\|\s*feature\b[^\n]*\n\|[-:| \t]+\n((?:\|[^\n]*\n?)*)", prose, re.M | re.I)
    if not table:
        if features:
            yield f"{file.path}:1: a table `| feature | default | adds | needs |`"
        return
    listed = set()
    for row in re.finditer(r"^\|\s*`([^`]+)`", table[1], re.M):
        listed.add(row[1])
        if row[1] not in features:
            yield finding(
                file, table.start(1) + row.start(), f"feature `{row[1]}` is not in Cargo.toml"
            )
    for name in sorted(features - listed):
        yield finding(file, table.start(), f"feature `{name}` is not in the table")


def _dependencies(file, parsed):
    name = file.path.split("/")[1]
    tables = [parsed, *parsed.get("target", {}).values()]
    for table in tables:
        for kind in _TABLES:
            for dependency, value in table.get(kind, {}).items():
                other = dependency.removeprefix("portcullis-")
                if kind == "dev-dependencies" and other in _TESTED_WITH.get(name, ()):
                    if "version" in value or "path" not in value:
                        yield f"{file.path}:1: `{dependency}`: by its path alone"
                    continue
                if not (isinstance(value, dict) and value.get("workspace")):
                    yield f"{file.path}:1: `{dependency}`: its version stands in the root manifest"
                if file.path.startswith("crates/") and other != dependency:
                    if other not in _MAY_USE.get(name, set()):
                        yield f"{file.path}:1: {name} does not depend on {other} (ARCHITECTURE.md, Dependency rule)"
