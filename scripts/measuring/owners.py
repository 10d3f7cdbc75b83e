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
_KERNEL = (
    ("kernel: disk", re.compile(r"ext4|jbd2|blk|bio_|virtio|virtblk|fsync|filemap|folio|writeback|xas_|page_cache|"
                                r"submit_|iomap|dirty|pwrite|pread|generic_perform_write|inode")),
    ("kernel: network", re.compile(r"tcp|sock|inet|ip_|skb|net|loopback|__dev_|nf_|sk_|epoll|ep_|eventpoll")),
    ("kernel: wake-ups and switches", re.compile(r"futex|sched|wake|switch|finish_task|idle|timer|hrtimer|rcu|yield|"
                                                 r"pick_|enqueue|dequeue|select_task|plist|pv_native|ttwu")),
)


def owner(symbol, program):
    """`program`: the object that holds the symbol."""
    if program.startswith("[") and "vdso" not in program:
        return _first(_KERNEL, symbol, "kernel: the rest")
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
