"""One name for one thing: words that have a usual name in the field, and that name."""

import re

from .source import finding

_SERVER = "examples/ingest-server/"

# In identifiers: code, and what comments and Markdown put in backticks. (pattern, better, where)
_NAMES = [
    (r"\bfn get_[a-z]\w*", "the accessor without `get_`", ""),
    (r"\bfn unwrap\(", "`unwrap_key`", ""),
    (r"\bStanding\b", "`LimitStatus`, or what the state is of", ""),
    (r"\bReadings?\b", "`LimitStatus`", ""),
    (r"\bAnswer::(?:Now|Later)\b", "`ChargeFuture::{Ready, Boxed}`", ""),
    (r"\bSeat\b", "`PendingCharge`", ""),
    (r"\bWho\b", "`RateLimitKey`", ""),
    (r"\bPlace\b", "`FieldContext`, `SampleSlot`, `ConnectionPermit`, `BucketSlot`", ""),
    (r"\bTurn\b", "`NonceReservation`", ""),
    (r"\bNotInHand\b", "`KeyMissing`", ""),
    (r"\bLanding\b", "`FlightGuard`", ""),
    (r"(?:\bfn |\.)hear\(", "`apply`", ""),
    (r"\bbegin_anew\b", "`reset`", ""),
    (r"\bAbsence\b", "`NegativeEntry`", ""),
    (r"\bto_the_end\b", "`run_detached`", ""),
    (r"\bPart\b", "`ServiceTask`", _SERVER),
    (r"\bImagine\b", "`DryRun`", _SERVER),
    (r"\bUnique\b", "`Resolved`", _SERVER),
]

# Anywhere: prose, messages, and names in which the word is a part.
_WORDS = [
    (r"patience", "timeout"),
    (r"books", "accounting"),
    (r"whoever", "the caller, or anyone who"),
    (r"anew", "again"),
    (r"in hand", "prepared, loaded, available"),
    (r"in_hand", "prepared, loaded, available"),
    (r"be had", "unavailable"),
    (r"unless said otherwise", "default: …"),
    (r"(?:hears?|heard|hearing) (?:about|of|that|what|when)", "learns of, is told"),
    (r"laid before", "checked by, passed to"),
    (r"way of (?:a|the|one) request", "request lifecycle"),
    (r"nobody knows whom|whomsoever|whosoever|hitherto|whence|thither", "plain English"),
]

# Not the clocks of other crates, whose traits have names of their own.
_CLOCK = re.compile(
    r"(?:\btrait Clock\b|\bimpl(?:<[^>]*>)? (?:(?:crate|super|portcullis_\w+)::)?(?:\w+::)?"
    r"(?<!governor::clock::)Clock for )[^{;]*\{"
)
_OLD_CLOCK = re.compile(r"\bfn (now|elapsed|uptime|date)\(")
_OLD_FEATURE = re.compile(r"^sqlx\s*=\s*\[", re.M)

# A phrase may be broken over two lines of a comment.
_SPACE = r"(?: |\s*\n\s*(?://[/!]? ?)?)"
_ANY_NAME = re.compile("|".join(f"({pattern})" for pattern, _, _ in _NAMES))
_ANY_WORD = re.compile(
    "(?<![a-z])(?:"
    + "|".join(f"({pattern})" for pattern, _ in _WORDS).replace(" ", _SPACE)
    + ")(?![a-z])",
    re.I,
)


def check(tree):
    for file in tree.matching(r"(?:crates|examples|benches|docs|fuzz)/.+\.(?:rs|md)|[^/]+\.md"):
        # A changelog names what was renamed.
        if not file.path.endswith("CHANGELOG.md"):
            yield from check_file(file)
    # The one of pii-crypto brings column types, for any database of sqlx.
    for file in tree.matching(r"crates/(?!pii-crypto/)[^/]+/Cargo\.toml"):
        features = re.search(r"^\[features\]$.*?(?=^\[|\Z)", file.text, re.M | re.S)
        for match in _OLD_FEATURE.finditer(features[0]) if features else ():
            yield finding(
                file, features.start() + match.start(), "feature `sqlx`: name it `sqlite`"
            )


def check_file(file):
    for match in _ANY_NAME.finditer(file.named):
        _, better, where = _NAMES[match.lastindex - 1]
        if file.path.startswith(where):
            yield finding(file, match.start(), f"`{match[0].strip()}`: say {better}")
    for match in _ANY_WORD.finditer(file.text):
        word = " ".join(part for part in match[0].split() if not part.startswith("//"))
        yield finding(file, match.start(), f'"{word}": say {_WORDS[match.lastindex - 1][1]}')
    if file.is_rust:
        yield from _clocks(file)


def _clocks(file):
    for clock in _CLOCK.finditer(file.code):
        end = _closing_brace(file.code, clock.end())
        for match in _OLD_CLOCK.finditer(file.code, clock.end(), end):
            yield finding(
                file, match.start(), f"`{match[1]}` of a clock: `wall` or `monotonic`"
            )


def _closing_brace(code, start):
    depth = 1
    for brace in re.compile(r"[{}]").finditer(code, start):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return len(code)
