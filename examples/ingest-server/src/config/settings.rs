//! The table of settings. Flags, variables, keys of the file, defaults, help texts and the table in
//! the README follow from it: a new setting is one row here, and a field in its section's file.

use super::setting::{Section, Setting};

/// Names each row, and lists them all.
macro_rules! table {
    ($($name:ident: $row:expr;)*) => {
        $(pub(crate) const $name: &Setting = &$row;)*

        /// Every setting, in the order in which they are explained.
        pub(crate) const ALL: &[&Setting] = &[$($name),*];
    };
}

table! {
    PROFILE: Setting::new(Section::Profile, "INGEST_PROFILE", "dev|production")
        .key("profile").flag("profile").default("dev")
        .help("How strict the start is");

    LISTEN: Setting::new(Section::Network, "INGEST_LISTEN", "IP:PORT")
        .key("listen").flag("listen").default("127.0.0.1:8080")
        .help("Public address; port 0 takes any free one");
    ADMIN_LISTEN: Setting::new(Section::Network, "INGEST_ADMIN_LISTEN", "IP:PORT")
        .key("admin_listen").flag("admin-listen").default("127.0.0.1:9090")
        .help("Admin address; in production a loopback or private one");
    MAX_CONNECTIONS: Setting::new(Section::Network, "INGEST_MAX_CONNECTIONS", "1…65535")
        .key("max_connections").flag("max-connections").number().default("1024")
        .help("Connections of the public listener at once, a quarter of them of one client network");
    TRUSTED_PROXIES: Setting::new(Section::Network, "INGEST_TRUSTED_PROXIES", "NETWORK,…")
        .key("trusted_proxies").flag("trusted-proxies").otherwise("none")
        .help("Whose `X-Forwarded-For` or `Forwarded` is believed, such as `10.0.0.0/8`");
    KEEP_ALIVE: Setting::new(Section::Network, "INGEST_KEEP_ALIVE", "SECONDS")
        .key("keep_alive").flag("keep-alive").number().default("75")
        .help("How long a connection may be idle; longer than a balancer keeps its own, which is 60 s as a rule");

    DATA_DIR: Setting::new(Section::Database, "INGEST_DATA_DIR", "FOLDER")
        .key("data_dir").flag("data-dir").default("data")
        .help("Folder of the database and of generated secrets");
    DATABASE_URL: Setting::new(Section::Database, "INGEST_DATABASE_URL", "sqlite://FILE")
        .key("database_url").flag("database-url").otherwise("`ingest.db` in the data folder")
        .help("The database");
    ERASURES_FILE: Setting::new(Section::Database, "INGEST_ERASURES_FILE", "FILE")
        .key("erasures_file").flag("erasures-file").otherwise("`erasures.jsonl` in the data folder")
        .help("Who was erased, without any personal data; erased again at each start, so that a backup brings nobody back. The same for all processes, and apart from backups of the database");
    UNIQUE_LEAD_FIELDS: Setting::new(Section::Database, "INGEST_UNIQUE_LEAD_FIELDS", "FIELD,…")
        .key("unique_lead_fields").flag("unique-lead-fields").default("email")
        .help("Of which fields only one lead of a tenant may have a value: `email`, and `phone` or `national_id` beside it; the same for all processes, and changed with `index unique`");

    SCHEMA_DIR: Setting::new(Section::Schemas, "INGEST_SCHEMA_DIR", "FOLDER")
        .key("schema_dir").flag("schema-dir").otherwise("built-in schemas")
        .help("Event schemas, JSON Schema 2020-12, in `<type>/<version>.json`");

    DETECTION_FILE: Setting::new(Section::Detection, "INGEST_DETECTION_FILE", "FILE")
        .key("detection_file").flag("detection-file")
        .otherwise("what was set with `PUT /admin/detection`, or `reject`")
        .help("What is done with it, by tenant and kind, in JSON; read again when it changes");

    LIMITS_FILE: Setting::new(Section::Limits, "INGEST_LIMITS_FILE", "FILE")
        .key("limits_file").flag("limits-file")
        .otherwise("what was set with `PUT /admin/limits`, or the defaults")
        .help("Limits by tier and category, in TOML; read again when it changes");

    LOG: Setting::new(Section::Observability, "INGEST_LOG", "FILTER")
        .key("log").flag("log").default("info")
        .help("Which events are logged, such as `info,ingest_server=debug`");
    TRACE_SAMPLE_RATIO: Setting::new(Section::Observability, "INGEST_TRACE_SAMPLE_RATIO", "0…1")
        .key("trace_sample_ratio").flag("trace-sample-ratio").number().default("0.01")
        .help("Share of traces exported; errors and those over 120 ms are kept besides");
    QUALITY_DAYS: Setting::new(Section::Observability, "INGEST_QUALITY_DAYS", "1…366")
        .key("quality_days").flag("quality-days").number().default("90")
        .help("For how many days it is kept what became of events, by hour, tenant, type, outcome and reason");
    QUALITY_SAMPLE_DAYS: Setting::new(Section::Observability, "INGEST_QUALITY_SAMPLE_DAYS", "1…366")
        .key("quality_sample_days").flag("quality-sample-days").number().default("7")
        .help("For how many days masked samples of refused events are kept");
    PROBE_TENANT: Setting::new(Section::Observability, "INGEST_PROBE_TENANT", "TENANT")
        .key("probe_tenant").flag("probe-tenant").otherwise("none")
        .help("The tenant whose keys `ingest-server probe` has, and nobody else's: its records are in no report on quality, and are deleted within an hour or so");
    OTLP_ENDPOINT: Setting::new(Section::Observability, "OTEL_EXPORTER_OTLP_ENDPOINT", "URL")
        .otherwise("no export")
        .help("Collector (OTLP over HTTP; over TLS with the cargo feature `otlp-tls`, over gRPC with `otlp-grpc`); the other standard `OTEL_*` variables are honoured or told of");

    AUDIT_STORE: Setting::new(Section::Audit, "INGEST_AUDIT_STORE", "file|database")
        .key("audit_store").flag("audit-store").default("file")
        .help("What the audit log is kept in: files, a log for each process, or a database of its own in the folder, one log for all processes of the machine");
    AUDIT_DIR: Setting::new(Section::Audit, "INGEST_AUDIT_DIR", "FOLDER")
        .key("audit_dir").flag("audit-dir").otherwise("`audit` in the data folder")
        .help("Folder of the audit log, better on a disk of its own; each process has a folder in it, or all have one database there, and no two machines share it");
    AUDIT_ORIGIN: Setting::new(Section::Audit, "INGEST_AUDIT_ORIGIN", "NAME")
        .key("audit_origin").flag("audit-origin").default("ingest-server/audit")
        .help("What the log is called, such as `ingest.example/audit`; another for each machine, and never changed");
    AUDIT_ANCHORS: Setting::new(Section::Audit, "INGEST_AUDIT_ANCHORS", "none|database|file:FOLDER|witness:FILE|archive,…")
        .key("audit_anchors").flag("audit-anchors").default("database")
        .help("Where checkpoints of the log are kept beside it, so that an old copy of it is found out at the start: the database, folders on other disks or shares, witnesses that sign them too, each with a file of TOML, and the archive");
    AUDIT_ARCHIVE: Setting::new(Section::Audit, "INGEST_AUDIT_ARCHIVE", "file:///FOLDER|s3://BUCKET/PREFIX")
        .key("audit_archive").flag("audit-archive").otherwise("none")
        .help("Where all of the log is kept for ever: nothing there is overwritten, and nothing is taken out of the log that is not there. Buckets take `AWS_*` of the environment");
    AUDIT_SINKS: Setting::new(Section::Audit, "INGEST_AUDIT_SINKS", "FILE")
        .key("audit_sinks").flag("audit-sinks").otherwise("none")
        .help("Where entries are delivered to, in TOML: webhooks, collectors, syslog over TLS, a file of OCSF");
    ACCESS_REASONS: Setting::new(Section::Audit, "INGEST_ACCESS_REASONS", "CODE,…")
        .key("access_reasons").flag("access-reasons")
        .default("audit,automated,billing,break_glass,consent,debugging,erasure,fraud,incident,legal,subject-request,support")
        .help("What `X-Access-Reason` may begin with; all else is counted as `other`. Without `automated` and `break_glass`, the rules that look for them find nothing");
    AUDIT_WRITES: Setting::new(Section::Audit, "INGEST_AUDIT_WRITES", "off|summary|each")
        .key("audit_writes").flag("audit-writes").default("summary")
        .help("How events and leads that are taken in are recorded: one entry for each API key and minute, or one for each request");
    AUDIT_RETENTION: Setting::new(Section::Audit, "INGEST_AUDIT_RETENTION", "DAYS")
        .key("audit_retention").flag("audit-retention").number().default("400")
        .help("For how many days entries are kept");
    AUDIT_PERSONAL_RETENTION: Setting::new(Section::Audit, "INGEST_AUDIT_PERSONAL_RETENTION", "DAYS")
        .key("audit_personal_retention").flag("audit-personal-retention").number().default("90")
        .help("For how many days addresses and stated reasons are kept beside them");
    AUDIT_HOLD: Setting::new(Section::Audit, "INGEST_AUDIT_HOLD", "off|on")
        .key("audit_hold").flag("audit-hold").default("off")
        .help("A legal hold: while it is on, nothing goes out of an audit log of this machine or from beside it, neither for its age nor because it is asked for");

    KEK_PROVIDER: Setting::new(Section::Providers, "PORTCULLIS_KEK_PROVIDER", "local|aws-kms|vault")
        .default("local")
        .help("Who holds the key-encryption keys: this process, AWS KMS (cargo feature `aws-kms`; reached as the standard `AWS_*` variables say) or the transit engine of Vault or OpenBao (`vault`; `VAULT_*`)");
    KEK_OTHER_PROVIDERS: Setting::new(Section::Providers, "PORTCULLIS_KEK_OTHER_PROVIDERS", "local|aws-kms|vault,…")
        .otherwise("none")
        .help("Further holders of key-encryption keys, which unwrap what they have wrapped: the former one until `keys rewrap` has moved all data keys, and the next one before it wraps");
    KMS_KEY: Setting::new(Section::Providers, "PORTCULLIS_KMS_KEY", "ARN|alias/NAME")
        .help("The key of AWS KMS that wraps; which one an alias names is asked once at the start");
    KMS_OLD_KEYS: Setting::new(Section::Providers, "PORTCULLIS_KMS_OLD_KEYS", "ARN,…")
        .otherwise("none")
        .help("Keys of AWS KMS that wrapped before, and still unwrap");
    VAULT_TRANSIT_KEY: Setting::new(Section::Providers, "PORTCULLIS_VAULT_TRANSIT_KEY", "NAME")
        .help("The key of Vault's transit engine that wraps, a derived one");
    VAULT_TRANSIT_MOUNT: Setting::new(Section::Providers, "PORTCULLIS_VAULT_TRANSIT_MOUNT", "PATH")
        .default("transit")
        .help("Where that engine is mounted");
    DATA_KEY_CRYPTOPERIOD: Setting::new(Section::Providers, "INGEST_DATA_KEY_CRYPTOPERIOD", "DAYS")
        .key("data_key_cryptoperiod").flag("data-key-cryptoperiod").number()
        .otherwise("data keys are rotated when `keys rotate` says so")
        .help("For how long a data key seals before it is rotated by itself; what it sealed is sealed again by `keys reencrypt`");
    REDIS_URL: Setting::new(Section::Providers, "INGEST_REDIS_URL", "redis://:PASSWORD@HOST:PORT/NUMBER")
        .secret().otherwise("each process counts limits for itself, and reads revocations in the database")
        .help("Redis or Valkey that limits are counted on for all processes, and that carries changes of API keys to them; `rediss://` for TLS; of a cluster some nodes, with commas. A secret, so INGEST_REDIS_URL_FILE may name its file");
    REDIS_MODE: Setting::new(Section::Providers, "INGEST_REDIS_MODE", "single|cluster")
        .key("redis_mode").flag("redis-mode").default("single")
        .help("Whether that is one server or a cluster");
    LIMITS_COUNTING: Setting::new(Section::Providers, "INGEST_LIMITS_COUNTING", "exact|lease")
        .key("limits_counting").flag("limits-counting").default("exact")
        .help("Whether Redis is asked for each request, or busy tenants' tokens are taken from it ahead of time");
    LIMITS_NODES: Setting::new(Section::Providers, "INGEST_LIMITS_NODES", "counted|1…1000")
        .key("limits_nodes").flag("limits-nodes").number().default("counted")
        .help("How many processes share the limits while Redis is down; `counted` is what they told it last");

    SECRETS: Setting::new(Section::Secrets, "PORTCULLIS_SECRETS", "env|vault|aws")
        .default("env")
        .help("What holds the secrets below: the environment and files, an entry of Vault's KV engine (cargo feature `vault`), or a secret of AWS Secrets Manager (`aws-kms`)");
    SECRETS_PATH: Setting::new(Section::Secrets, "PORTCULLIS_SECRETS_PATH", "MOUNT/PATH|ID")
        .help("The entry, or the name or ARN of the secret: a JSON object with members such as `INGEST_ADMIN_TOKEN`, `PORTCULLIS_KEKS` and `PORTCULLIS_KEKS_PRIMARY`");
    SECRETS_REFRESH: Setting::new(Section::Secrets, "PORTCULLIS_SECRETS_REFRESH", "SECONDS")
        .default("60")
        .help("How often that is fetched, and the files of secrets are read, to take over what changed");

    ADMIN_TOKEN: Setting::new(Section::Secrets, "INGEST_ADMIN_TOKEN", "TEXT")
        .secret()
        .help("Bearer token of the admin listener, at least 32 random characters");
    KEKS: Setting::new(Section::Secrets, "PORTCULLIS_KEKS", "1:BASE64,…")
        .versioned_secret()
        .help("Key-encryption keys, 32 bytes each");
    INDEX_ROOTS: Setting::new(Section::Secrets, "PORTCULLIS_INDEX_ROOTS", "1:BASE64,…")
        .versioned_secret()
        .help("What fingerprints are made with, 32 bytes each");
    KEY_PEPPERS: Setting::new(Section::Secrets, "PORTCULLIS_KEY_PEPPERS", "1:BASE64,…")
        .versioned_secret()
        .help("What API keys are hashed with, 32 bytes each");
    AUDIT_KEYS: Setting::new(Section::Secrets, "PORTCULLIS_AUDIT_KEYS", "1:BASE64,…")
        .versioned_secret()
        .help("What the audit log is signed with, 32 bytes each; read at the start");
    KID_TAG_KEYS: Setting::new(Section::Secrets, "PORTCULLIS_KID_TAG_KEYS", "1:BASE64,…")
        .secret().otherwise("no pepper was dropped")
        .help("What is kept of peppers that were dropped, as `api-key tag-key` prints it: tells the keys that were issued under them from invented ones");
}

/// The setting that has this key in the file, and the key.
pub(super) fn of_key(key: &str) -> Option<(&'static Setting, &'static str)> {
    ALL.iter()
        .filter_map(|setting| Some((*setting, setting.key?)))
        .find(|(_, known)| *known == key)
}

/// Every key of the file.
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    ALL.iter().filter_map(|setting| setting.key)
}

/// Every secret.
pub(crate) fn secrets() -> impl Iterator<Item = &'static Setting> {
    ALL.iter().copied().filter(|setting| setting.is_secret())
}

/// Every name a setting has in the environment.
pub(super) fn variables() -> impl Iterator<Item = String> {
    ALL.iter().flat_map(|setting| setting.variables())
}
