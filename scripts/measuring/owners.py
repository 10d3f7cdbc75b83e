"""Whose a symbol is: sorts what `perf` saw into the parts that a reader of the code knows."""

import re

# What Rust code is named after, by the first of these that its symbol names.
_CRATES = {
    "scheduler and hand-overs": (
        "tokio", "mio", "parking_lot", "parking_lot_core", "crossbeam", "flume", "async_channel",
        "futures_channel", "futures_util", "futures_core", "futures_intrusive", "event_listener", "concurrent_queue",
    ),
    "HTTP: hyper and axum": (
        "hyper", "hyper_util", "http", "http_body", "http_body_util", "httparse", "httpdate", "axum", "axum_core",
        "tower", "tower_http", "tower_service", "matchit", "bytes",
    ),
    "database client": ("sqlx", "sqlx_core", "sqlx_sqlite", "rusqlite", "libsqlite3_sys", "hashlink"),
    "JSON": ("serde_json", "jiter", "actson", "serde", "serde_core", "itoa", "ryu", "zmij"),
    "schemas": ("jsonschema", "referencing", "fluent_uri", "fancy_regex"),
    "spans, logs and metrics": (
        "tracing", "tracing_core", "tracing_subscriber", "sharded_slab", "portcullis_telemetry", "opentelemetry",
        "opentelemetry_sdk", "prometheus_client",
    ),
    "limiter": ("portcullis_ratelimit",),
    "API keys": ("portcullis_apikey_cache", "portcullis_versioned_secrets"),
    "detector": ("portcullis_pii_detect", "aho_corasick", "regex", "regex_automata", "memchr"),
    "sealing and indexes": (
        "portcullis_pii_crypto", "portcullis_keyring", "ring", "hmac", "sha2", "digest", "zeroize", "subtle", "idna",
        "icu_normalizer", "icu_properties", "unicode_normalization",
    ),
    "accounting": ("portcullis_dq_metrics",),
    "the store's own code": ("ingest_server::store",),
    "the service's own code": ("ingest_server", "load"),
}
_OWNERS = {name: owner for owner, names in _CRATES.items() for name in names}
# As in `tokio::`, or mangled, where a name has its length before it. A path before its root.
_RUST = re.compile(
    r"(?<![a-z_])(?:\d+)?("
    + "|".join(sorted((re.escape(name) for name in _OWNERS if name != "ingest_server::store"), key=len, reverse=True))
    + r")(?![a-z_0-9])"
)
_STORE = re.compile(r"ingest_server(?:::|\d+)store")
_MANGLED = ("_R", "_ZN")
_LIBC = (
    ("allocator", re.compile(r"malloc|free|calloc|realloc|_int_|arena|tcache|unlink_chunk|memalign")),
    ("bytes copied and compared", re.compile(r"mem(?:cpy|move|set|cmp|chr)|str(?:len|cmp|chr)")),
)
_CRYPTO = re.compile(r"aes|gcm|ghash|sha(?:1|256|512)|chacha|poly1305|ring_core|^GFp|bsaes|vpaes", re.I)
# Some are inlined into what they call.
_CALL = re.compile(r"(?:__(?:x64|arm64|se|do)_sys_|do_|ksys_)(\w+)")
_CALLS = {
    "kernel: wake-ups": ("futex", "futex_wait", "sched_yield", "nanosleep", "clock_nanosleep"),
    "kernel: waiting for connections": ("epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl"),
    "kernel: network": (
        "sendto", "recvfrom", "sendmsg", "recvmsg", "read", "write", "writev", "readv", "accept4", "accept",
    ),
    "kernel: disk": (
        "pwrite64", "pread64", "pwritev", "preadv", "fdatasync", "fsync", "fcntl", "openat", "newfstatat", "fstat",
        "ftruncate", "unlink", "lseek", "stat", "access", "close", "geteuid",
    ),
    "kernel: memory": ("mmap", "munmap", "madvise", "brk", "mprotect"),
}
_CALLED = {call: owner for owner, calls in _CALLS.items() for call in calls}


def owner(chain):
    """Of a sample: `chain` is what ran and its callers, each a symbol and the object that holds it."""
    symbol, program = chain[0]
    if program.startswith("[") and "vdso" not in program:
        # What the kernel does, it does for a call, but for interrupts and pages that are touched first.
        calls = (_CALLED.get(call[1]) for symbol, _ in chain if (call := _CALL.match(symbol)))
        return next(filter(None, calls), "kernel: the rest")
    if "libc" in program or "ld-linux" in program or "vdso" in program:
        return _first(_LIBC, symbol, "libc, the rest")
    rust = symbol.startswith(_MANGLED) or "::" in symbol or symbol.startswith("<")
    if not rust:
        if _CRYPTO.search(symbol):
            return "sealing and indexes"
        known = _first(_LIBC, symbol, "")
        return "allocator" if symbol.startswith("__rust_") or "__rdl_" in symbol else known or "SQLite"
    if _STORE.search(symbol):
        return "the store's own code"
    if found := _RUST.search(symbol):
        return _OWNERS[found[1]]
    return "Rust's standard library"


def _first(patterns, symbol, otherwise):
    return next((name for name, pattern in patterns if pattern.search(symbol)), otherwise)
