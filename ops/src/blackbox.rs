//! What blackbox_exporter looks at from outside: whether the service is ready, until when certificates are good, and
//! that nobody is served without encryption.

use crate::yaml::Yaml;

/// Where it listens: the probe has the port that it takes by default.
const ADDRESS: &str = "127.0.0.1:9116";

/// What is asked, by what has to come of it. The addresses are for operators to replace.
const TARGETS: [(&str, &str); 3] = [
    ("ready", "http://127.0.0.1:9090/readyz"),
    ("tls", "https://ingest.example.com/v1/status"),
    ("redirect", "http://ingest.example.com/v1/status"),
];

/// `blackbox.yml`.
pub(crate) fn modules() -> String {
    let statuses = |statuses: &[u16]| Yaml::list(statuses.iter().map(Yaml::plain));
    let module = |settings: Vec<(&'static str, Yaml)>| {
        let mut http = vec![
            ("method", Yaml::text("GET")),
            ("follow_redirects", Yaml::plain(false)),
            ("preferred_ip_protocol", Yaml::text("ip4")),
        ];
        http.extend(settings);
        Yaml::map([
            ("prober", Yaml::text("http")),
            ("timeout", Yaml::plain("5s")),
            ("http", Yaml::map(http)),
        ])
    };
    let tls = Yaml::map([("min_version", Yaml::text("TLS12"))]);
    let location = Yaml::map([
        ("header", Yaml::text("Location")),
        ("regexp", Yaml::text("^https://")),
    ]);
    let modules = Yaml::map([
        (
            "ready",
            module(vec![("valid_status_codes", statuses(&[200]))]),
        ),
        (
            "tls",
            module(vec![
                ("valid_status_codes", statuses(&[200])),
                ("fail_if_not_ssl", Yaml::plain(true)),
                ("tls_config", tls),
            ]),
        ),
        (
            "redirect",
            module(vec![
                ("valid_status_codes", statuses(&[301, 302, 307, 308])),
                ("fail_if_ssl", Yaml::plain(true)),
                ("fail_if_header_not_matches", Yaml::list([location])),
            ]),
        ),
    ]);
    Yaml::map([("modules", modules)]).file()
}

/// Its job in `prometheus.yml`.
pub(crate) fn job() -> Yaml {
    let groups = TARGETS.map(|(module, target)| {
        Yaml::map([
            ("targets", Yaml::texts([target])),
            ("labels", Yaml::map([("module", Yaml::text(module))])),
        ])
    });
    let relabel = |from: Option<&str>, to: &str, value: Option<&str>| {
        let mut rule = Vec::new();
        rule.extend(from.map(|from| ("source_labels", Yaml::texts([from]))));
        rule.push(("target_label", Yaml::text(to)));
        rule.extend(value.map(|value| ("replacement", Yaml::text(value))));
        Yaml::map(rule)
    };
    Yaml::map([
        ("job_name", Yaml::text("portcullis-blackbox")),
        ("metrics_path", Yaml::text("/probe")),
        ("static_configs", Yaml::list(groups)),
        (
            "relabel_configs",
            Yaml::list([
                relabel(Some("module"), "__param_module", None),
                relabel(Some("__address__"), "__param_target", None),
                relabel(Some("__param_target"), "instance", None),
                relabel(None, "__address__", Some(ADDRESS)),
            ]),
        ),
    ])
}
