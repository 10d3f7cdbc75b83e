//! Values that can never do what was meant.

/// A variable, a value that is wrong, and what is said of it.
pub(crate) type Row = (&'static str, &'static str, &'static str);

const ADDRESS: &str = "must be an IP address and a port";
const URL: &str = "must be an `http://`";
const HOST: &str = "must be a URL with a host";
const PORT: &str = "must be a URL with a port from 1 to 65535";
const RATIO: &str = "must be a number from 0 to 1";
const MILLISECONDS: &str = "must be a number of milliseconds from 1 to 3600000";
const SPANS: &str = "must be a number of spans from 1 to 100000";
const COUNT: &str = "must be a number from 1 to 4294967295";
const BLANK: &str = "has a blank or a line break before or after it";
const TARGET: &str = "names no part of this program";
const FILTER: &str = "is not a filter";
const TLS: &str = if cfg!(feature = "otlp-tls") {
    "must be the path of a PEM file that can be read"
} else {
    "must be unset, or the program built with the feature `otlp-tls`"
};
const PROPAGATORS: &str = "must be `none`, or a list with `tracecontext` in it";
const MEANT: &str = "is not a setting; did you mean";

const REDIS: &str = "must be `redis://` or, with TLS, `rediss://`, and a host";
const DAYS: &str = "must be a whole number of days, 1 to 3650";
const NODES: &str = "must be `counted`, or a number from 1 to 1000";

pub(crate) const ROWS: [Row; 195] = [
    (
        "INGEST_PROFILE",
        "Production",
        "must be `dev` or `production`",
    ),
    ("INGEST_PROFILE", "prod", "must be `dev` or `production`"),
    ("INGEST_PROFILE", "dev\n", BLANK),
    ("INGEST_LISTEN", "localhost:8080", ADDRESS),
    ("INGEST_LISTEN", "127.0.0.9", ADDRESS),
    ("INGEST_LISTEN", ":8080", ADDRESS),
    ("INGEST_LISTEN", "127.0.0.9:65536", ADDRESS),
    ("INGEST_LISTEN", "127.0.0.9:-1", ADDRESS),
    ("INGEST_LISTEN", "127.0.0.9:+80", ADDRESS),
    ("INGEST_LISTEN", "127.0.0.9:0x50", ADDRESS),
    ("INGEST_LISTEN", "127.0.0.9:8_080", ADDRESS),
    ("INGEST_LISTEN", "127.0.0.9:\u{0661}", ADDRESS),
    ("INGEST_LISTEN", "::1:8080", ADDRESS),
    ("INGEST_LISTEN", "224.0.0.1:8080", "is a multicast address"),
    ("INGEST_LISTEN", "[ff02::1]:8080", "is a multicast address"),
    (
        "INGEST_LISTEN",
        "255.255.255.255:8080",
        "is an address that no machine has",
    ),
    (
        "INGEST_LISTEN",
        "0.0.0.1:8080",
        "is an address that no machine has",
    ),
    ("INGEST_LISTEN", "[fe80::1]:8080", "is a link-local address"),
    ("INGEST_LISTEN", "127.0.0.9:8080 ", BLANK),
    ("INGEST_ADMIN_LISTEN", "\t127.0.0.9:9090", BLANK),
    ("INGEST_ADMIN_LISTEN", " ", "is empty"),
    ("INGEST_DATA_DIR", "/dev/null", "is not a folder"),
    (
        "INGEST_DATA_DIR",
        "/dev/null/data",
        "lies below something that is not a folder",
    ),
    ("INGEST_DATA_DIR", "data\n", BLANK),
    (
        "INGEST_DATABASE_URL",
        "mysql://a/b",
        "must be `sqlite://` and the path of a file",
    ),
    (
        "INGEST_DATABASE_URL",
        "sqlite://",
        "must be `sqlite://` and the path of a file",
    ),
    (
        "INGEST_DATABASE_URL",
        "a.db",
        "must be `sqlite://` and the path of a file",
    ),
    ("INGEST_DATABASE_URL", "postgres://a/b", "names PostgreSQL"),
    (
        "INGEST_DATABASE_URL",
        "sqlite::memory:",
        "names a database in memory",
    ),
    (
        "INGEST_DATABASE_URL",
        "sqlite://a.db?mode=ro",
        "is a path as it stands",
    ),
    (
        "INGEST_DATABASE_URL",
        "sqlite://a.db?cache=shared",
        "is a path as it stands",
    ),
    (
        "INGEST_DATABASE_URL",
        "sqlite://a%20b.db",
        "is a path as it stands",
    ),
    (
        "INGEST_DATABASE_URL",
        "sqlite://a.db#b",
        "is a path as it stands",
    ),
    ("INGEST_DATABASE_URL", "sqlite:///tmp", "names a folder"),
    ("INGEST_DATABASE_URL", "sqlite://data/", "names a folder"),
    (
        "INGEST_DATABASE_URL",
        "sqlite:///dev/null",
        "names something that is no file",
    ),
    (
        "INGEST_DATABASE_URL",
        "sqlite:///dev/null/a.db",
        "names a file below something",
    ),
    ("INGEST_SCHEMA_DIR", "/dev/null", "is not a folder"),
    ("INGEST_SCHEMA_DIR", "/none", "is not a folder"),
    ("INGEST_LOG", "=", FILTER),
    ("INGEST_LOG", "info,,warn", FILTER),
    ("INGEST_LOG", "info,", FILTER),
    ("INGEST_LOG", "ingest_server=loud", FILTER),
    ("INGEST_LOG", "[request]=debug", FILTER),
    ("INGEST_LOG", "hyper[request{lead=1}]=debug", FILTER),
    ("INGEST_LOG", "{lead}=debug", FILTER),
    ("INGEST_LOG", "ingest_servr=debug", TARGET),
    ("INGEST_LOG", "ingest-server=debug", TARGET),
    ("INGEST_LOG", "info,canary=debug", TARGET),
    ("INGEST_LOG", "inof", TARGET),
    ("INGEST_LOG", "ingest_server::nowhere=debug", TARGET),
    (
        "INGEST_LOG",
        "info,debug",
        "entry 2 repeats a level for everything",
    ),
    (
        "INGEST_LOG",
        "hyper=info,hyper=warn",
        "entry 2 repeats a target",
    ),
    ("INGEST_TRACE_SAMPLE_RATIO", "2", RATIO),
    ("INGEST_TRACE_SAMPLE_RATIO", "1.0000001", RATIO),
    ("INGEST_TRACE_SAMPLE_RATIO", "-0", RATIO),
    ("INGEST_TRACE_SAMPLE_RATIO", "-0.1", RATIO),
    ("INGEST_TRACE_SAMPLE_RATIO", "+0.1", RATIO),
    ("INGEST_TRACE_SAMPLE_RATIO", "NaN", RATIO),
    ("INGEST_TRACE_SAMPLE_RATIO", "inf", RATIO),
    ("INGEST_TRACE_SAMPLE_RATIO", "10%", RATIO),
    ("INGEST_TRACE_SAMPLE_RATIO", "0,1", RATIO),
    ("INGEST_TRACE_SAMPLE_RATIO", "0x1", RATIO),
    ("INGEST_TRACE_SAMPLE_RATIO", "0_1", RATIO),
    ("INGEST_TRACE_SAMPLE_RATIO", ".5", RATIO),
    ("INGEST_TRACE_SAMPLE_RATIO", "true", RATIO),
    ("PORTCULLIS_KEK_PROVIDER", "canary", "must be `local`"),
    (
        "PORTCULLIS_KEK_OTHER_PROVIDERS",
        "nobody",
        "must be `local`",
    ),
    (
        "PORTCULLIS_KMS_KEY",
        "canary",
        "needs PORTCULLIS_KEK_PROVIDER=aws-kms",
    ),
    (
        "PORTCULLIS_VAULT_TRANSIT_KEY",
        "canary",
        "needs PORTCULLIS_KEK_PROVIDER=vault",
    ),
    (
        "PORTCULLIS_SECRETS",
        "canary",
        "must be `env`, `vault` or `aws`",
    ),
    (
        "PORTCULLIS_SECRETS_PATH",
        "canary",
        "needs PORTCULLIS_SECRETS=vault or aws",
    ),
    (
        "PORTCULLIS_SECRETS_REFRESH",
        "0",
        "must be a whole number of seconds, 1 to 86400",
    ),
    (
        "PORTCULLIS_SECRETS_REFRESH",
        "1m",
        "must be a whole number of seconds, 1 to 86400",
    ),
    ("INGEST_DATA_KEY_CRYPTOPERIOD", "0", DAYS),
    ("INGEST_DATA_KEY_CRYPTOPERIOD", "3651", DAYS),
    ("INGEST_DATA_KEY_CRYPTOPERIOD", "90d", DAYS),
    ("INGEST_DATA_KEY_CRYPTOPERIOD", "-1", DAYS),
    ("INGEST_ERASURES_FILE", "/tmp", "names a folder"),
    ("INGEST_ERASURES_FILE", "canary/", "names a folder"),
    (
        "INGEST_ERASURES_FILE",
        "/dev/null",
        "names something that is no file",
    ),
    (
        "INGEST_ERASURES_FILE",
        "/dev/null/canary",
        "names a file below something",
    ),
    (
        "INGEST_PROBE_TENANT",
        "the canary",
        "is no name that a tenant can have",
    ),
    (
        "INGEST_UNIQUE_LEAD_FIELDS",
        "name,email",
        "entry 1 is nothing that leads are found by",
    ),
    (
        "INGEST_UNIQUE_LEAD_FIELDS",
        "national_id",
        "lacks `email`, by which a lead",
    ),
    (
        "INGEST_UNIQUE_LEAD_FIELDS",
        "email, email",
        "names a field twice",
    ),
    (
        "INGEST_UNIQUE_LEAD_FIELDS",
        "email,",
        "entry 2 is nothing that leads are found by",
    ),
    (
        "PORTCULLIS_KMS_OLD_KEYS",
        "canary",
        "needs PORTCULLIS_KEK_PROVIDER=aws-kms",
    ),
    (
        "PORTCULLIS_VAULT_TRANSIT_MOUNT",
        "canary",
        "needs PORTCULLIS_KEK_PROVIDER=vault",
    ),
    (
        "PORTCULLIS_SECRETS_REFRESH",
        "86401",
        "must be a whole number of seconds, 1 to 86400",
    ),
    ("INGEST_REDIS_URL", "canary:6379", REDIS),
    ("INGEST_REDIS_URL", "127.0.0.9", REDIS),
    ("INGEST_REDIS_URL", "http://canary", REDIS),
    ("INGEST_REDIS_URL", "redis+unix:///canary", REDIS),
    ("INGEST_REDIS_URL", "redis:///0", REDIS),
    ("INGEST_REDIS_URL", "redis://canary:99999", REDIS),
    (
        "INGEST_REDIS_URL",
        "redis://canary:0",
        "must have a port from 1 to 65535",
    ),
    (
        "INGEST_REDIS_URL",
        "redis://canary/zero",
        "must end in the number of a database",
    ),
    (
        "INGEST_REDIS_URL",
        "redis://canary/65536",
        "must end in the number of a database",
    ),
    (
        "INGEST_REDIS_URL",
        "redis://canary?protocol=resp3",
        "must be without parameters",
    ),
    (
        "INGEST_REDIS_URL",
        "rediss://canary/#insecure",
        "must be without parameters",
    ),
    (
        "INGEST_REDIS_URL",
        "redis://:canary canary@c",
        "has a blank in it",
    ),
    (
        "INGEST_REDIS_URL",
        "redis://canary@c",
        "names a user and no password",
    ),
    (
        "INGEST_REDIS_URL",
        "redis://a,redis://canary",
        "names several servers",
    ),
    (
        "INGEST_REDIS_MODE",
        "sentinel",
        "must be `single` or `cluster`",
    ),
    ("INGEST_REDIS_MODE", "cluster", "needs INGEST_REDIS_URL"),
    (
        "INGEST_LIMITS_COUNTING",
        "Lease",
        "must be `exact` or `lease`",
    ),
    ("INGEST_LIMITS_COUNTING", "lease", "needs INGEST_REDIS_URL"),
    ("INGEST_LIMITS_NODES", "0", NODES),
    ("INGEST_LIMITS_NODES", "1001", NODES),
    ("INGEST_LIMITS_NODES", "+3", NODES),
    ("INGEST_LIMITS_NODES", "1.5", NODES),
    ("INGEST_LIMITS_NODES", "auto", NODES),
    ("INGEST_LIMITS_NODES", "3", "needs INGEST_REDIS_URL"),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "http://127.0.0.9:99999",
        PORT,
    ),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.9:0", PORT),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:", PORT),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://:4318", HOST),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http:///v1", HOST),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1", HOST),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://1.2.3", HOST),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://collector:4318", URL),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://collector:4317", URL),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", URL),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "http://a:4318?x=1",
        "must be a URL without a query",
    ),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "http://a:4318/#x",
        "must be a URL without a query",
    ),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "http://a:b@c:4318",
        "must be a URL without user name",
    ),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "http://a:4318/v1/traces",
        "must be the URL without `/v1/traces`",
    ),
    (
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "http://a:4318/v1/traces?x",
        "must be a URL without a query",
    ),
    (
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "http://a:0/v1/traces",
        PORT,
    ),
    (
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "http/json",
        "must be `http/protobuf`",
    ),
    ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "must be `none`"),
    (
        "OTEL_EXPORTER_OTLP_HEADERS",
        "canary",
        "must be key=value pairs",
    ),
    (
        "OTEL_EXPORTER_OTLP_HEADERS",
        "a=%0d",
        "must be key=value pairs",
    ),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", MILLISECONDS),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "0", MILLISECONDS),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "-1", MILLISECONDS),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "1.5", MILLISECONDS),
    ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/canary.pem", TLS),
    ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "/canary.pem", TLS),
    (
        "OTEL_EXPORTER_OTLP_INSECURE",
        "false",
        "must be `true` or unset",
    ),
    (
        "OTEL_CONFIG_FILE",
        "/canary.yaml",
        "must be unset: no file of settings is read",
    ),
    ("OTEL_SDK_DISABLED", "yes", "must be `true` or `false`"),
    ("OTEL_SDK_DISABLED", "1", "must be `true` or `false`"),
    ("OTEL_TRACES_EXPORTER", "zipkin", "must be `otlp` or `none`"),
    (
        "OTEL_TRACES_EXPORTER",
        "otlp,console",
        "must be `otlp` or `none`",
    ),
    (
        "OTEL_TRACES_SAMPLER",
        "jaeger_remote",
        "must be `always_on`",
    ),
    (
        "OTEL_TRACES_SAMPLER_ARG",
        "0.5",
        "must be unset without OTEL_TRACES_SAMPLER",
    ),
    ("OTEL_TRACES_SAMPLER_ARG", "2", RATIO),
    ("OTEL_PROPAGATORS", "b3", PROPAGATORS),
    ("OTEL_PROPAGATORS", "canary", PROPAGATORS),
    ("OTEL_PROPAGATORS", "none,tracecontext", PROPAGATORS),
    ("OTEL_PROPAGATORS", "jaeger,baggage", PROPAGATORS),
    ("OTEL_BSP_SCHEDULE_DELAY", "3600001", MILLISECONDS),
    ("OTEL_BSP_EXPORT_TIMEOUT", "+1000", MILLISECONDS),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "4294967294", SPANS),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "1_000", SPANS),
    ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0x10", SPANS),
    ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "0", COUNT),
    ("OTEL_SPAN_EVENT_COUNT_LIMIT", "\u{0665}", COUNT),
    ("OTEL_SPAN_LINK_COUNT_LIMIT", "4294967296", COUNT),
    ("OTEL_ATTRIBUTE_COUNT_LIMIT", "many", COUNT),
    ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "1e3", COUNT),
    ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "-1", COUNT),
    ("INGEST_LISTN", "canary", MEANT),
    ("INGEST_LSITEN", "canary", MEANT),
    ("INGEST_TRUSTED_PROXY", "canary", MEANT),
    ("INGEST_DATADIR", "canary", MEANT),
    ("INGEST_LOGS", "canary", MEANT),
    ("ingest_listen", "canary", MEANT),
    ("PORTCULLIS_KEK", "canary", MEANT),
    ("PORTCULLIS_KEKS_FILES", "canary", MEANT),
    ("PORTCULLIS_KEY_PEPPER", "canary", MEANT),
    ("OTEL_EXPORTER_OTLP_ENDPIONT", "canary", MEANT),
    ("OTEL_TRACE_SAMPLER", "canary", MEANT),
    (
        "PORTCULLIS_KID_TAG_KEYS",
        "canary",
        "entry 1 must be `<version>:<base64 of 32 bytes>`",
    ),
    (
        "PORTCULLIS_KID_TAG_KEYS",
        "7:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=,7:canary",
        "entry 2 must be",
    ),
    (
        "PORTCULLIS_KID_TAG_KEYS",
        "65536:8PHy8/T19vf4+fr7/P3+/+Dh4uPk5ebn6Onq6+zt7u8=",
        "version 65536 is too high; the highest is 65535",
    ),
    (
        "PORTCULLIS_KID_TAG_KEYS",
        "1:8PHy8/T19vf4+fr7/P3+/+Dh4uPk5ebn6Onq6+zt7u8=",
        "the tag key of version 1 is not that of its pepper",
    ),
    ("PORTCULLIS_KID_TAG_KEY", "canary", MEANT),
    (
        "PORTCULLIS_KEKS",
        "canary",
        "entry 1 must be `<version>:<base64 of 32 bytes>`",
    ),
    (
        "PORTCULLIS_KEKS",
        "+1:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=",
        "entry 1 must be",
    ),
    (
        "PORTCULLIS_KEKS",
        "01:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=",
        "entry 1 must be",
    ),
    (
        "PORTCULLIS_KEKS_PRIMARY",
        "+1",
        "names no version of PORTCULLIS_KEKS",
    ),
    (
        "PORTCULLIS_KEKS_PRIMARY",
        "2",
        "names no version of PORTCULLIS_KEKS",
    ),
    (
        "INGEST_ADMIN_TOKEN",
        "canary canary",
        "must be printable ASCII without spaces",
    ),
    (
        "INGEST_ACCESS_REASONS",
        "billing,Support",
        "entry 2 must be 1 to 32 of",
    ),
    (
        "INGEST_AUDIT_STORE",
        "postgres",
        "must be `file` or `database`",
    ),
    ("INGEST_AUDIT_HOLD", "true", "must be `off` or `on`"),
    (
        "INGEST_AUDIT_ANCHORS",
        "witness:/nowhere/witness.toml",
        "entry 1",
    ),
    (
        "INGEST_AUDIT_ANCHORS",
        "archive",
        "entry 1 needs INGEST_AUDIT_ARCHIVE",
    ),
    (
        "INGEST_AUDIT_ARCHIVE",
        "s3://key:secret@audit/ingest",
        "must be `file://`",
    ),
    (
        "INGEST_AUDIT_ANCHORS",
        "database,disk",
        "entry 2 must be `database`, `archive`, `file:`",
    ),
    (
        "INGEST_AUDIT_ANCHORS",
        "file:anchors",
        "the absolute path of a folder",
    ),
    (
        "INGEST_AUDIT_ANCHORS",
        "database, database",
        "entry 2 stands there twice",
    ),
];
