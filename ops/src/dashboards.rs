//! The dashboards: who is hurt, and why.

mod health;
mod json;
mod overview;
mod performance;
mod quality;
mod security;
mod slos;

use crate::yaml::Yaml;

/// A page of panels.
#[derive(Debug, Clone)]
pub(crate) struct Dashboard {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) rows: Vec<Row>,
    /// Whether one tenant can be chosen.
    pub(crate) tenants: bool,
}

/// Panels beside each other.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) title: &'static str,
    pub(crate) panels: Vec<Panel>,
}

/// A plot, a number or a table.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) description: &'static str,
    /// As Grafana names it.
    pub(crate) unit: &'static str,
    pub(crate) kind: PanelKind,
    /// Queries and how their series are named.
    pub(crate) queries: Vec<(String, String)>,
    /// The alert on it, and the value from which that fires.
    pub(crate) alert: Option<(&'static str, f64)>,
}

/// What a panel draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PanelKind {
    Timeseries,
    Stat,
    Table,
    Heatmap,
}

/// The series of the chosen processes.
const CHOSEN: &str = "job=~\"$job\",instance=~\"$instance\"";

/// What stands for the variables of Grafana when a query is checked or run without it.
const VARIABLES: [(&str, &str); 4] = [
    ("$__rate_interval", "5m"),
    ("$job", ".+"),
    ("$instance", ".+"),
    ("$tenant", ".+"),
];

impl Panel {
    /// A plot over time. `$sel` in a query stands for the chosen processes.
    pub(crate) fn new(
        title: &'static str,
        description: &'static str,
        unit: &'static str,
        queries: &[(&str, &str)],
    ) -> Self {
        Self {
            title,
            description,
            unit,
            kind: PanelKind::Timeseries,
            queries: queries
                .iter()
                .map(|(query, legend)| (query.replace("$sel", CHOSEN), (*legend).to_owned()))
                .collect(),
            alert: None,
        }
    }

    /// The latest value alone.
    pub(crate) const fn stat(mut self) -> Self {
        self.kind = PanelKind::Stat;
        self
    }

    /// The latest values, one a row.
    pub(crate) const fn table(mut self) -> Self {
        self.kind = PanelKind::Table;
        self
    }

    /// The buckets of a histogram over time.
    pub(crate) const fn heatmap(mut self) -> Self {
        self.kind = PanelKind::Heatmap;
        self
    }

    /// The threshold of an alert is a line in it.
    pub(crate) const fn alert(mut self, name: &'static str, threshold: f64) -> Self {
        self.alert = Some((name, threshold));
        self
    }
}

impl Dashboard {
    /// Every query with its place, as Prometheus can run it.
    pub(crate) fn queries(&self) -> impl Iterator<Item = (String, String)> {
        let panels = self.rows.iter().flat_map(|row| &row.panels);
        panels.flat_map(move |panel| {
            panel.queries.iter().map(move |(query, _)| {
                let place = format!("panel {} of {}", panel.title, self.name);
                let plain = VARIABLES.iter().fold(query.clone(), |text, (name, value)| {
                    text.replace(name, value)
                });
                (place, plain)
            })
        })
    }

    pub(crate) fn json(&self) -> String {
        json::file(self)
    }
}

pub(crate) fn all() -> Vec<Dashboard> {
    vec![
        overview::dashboard(),
        security::dashboard(),
        performance::dashboard(),
        quality::dashboard(),
        health::dashboard(),
        slos::dashboard(),
    ]
}

/// How Grafana finds the files.
pub(crate) fn provisioning() -> String {
    let provider = Yaml::map([
        ("name", Yaml::text("portcullis")),
        ("folder", Yaml::text("Portcullis")),
        ("type", Yaml::text("file")),
        (
            "options",
            Yaml::map([("path", Yaml::text("/etc/grafana/portcullis"))]),
        ),
    ]);
    Yaml::map([
        ("apiVersion", Yaml::plain(1)),
        ("providers", Yaml::list([provider])),
    ])
    .file()
}

/// The same for those who use monitoring mixins.
pub(crate) fn mixin() -> String {
    let all = all();
    let imports = all.iter().map(|it| {
        format!(
            "    '{name}.json': import 'dashboards/{name}.json',\n",
            name = it.name
        )
    });
    format!(
        "// Made by `ops generate`. Do not edit.\nlocal rules(file) = std.parseYaml(file);\n{{\n  grafanaDashboards+:: {{\n\
         {}  }},\n  prometheusRules+:: rules(importstr 'rules/recording.yml'),\n  prometheusAlerts+:: {{\n    \
         groups+: rules(importstr 'rules/alerts.yml').groups + rules(importstr 'rules/slo.yml').groups,\n  }},\n}}\n",
        imports.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{alerts, files};

    #[test]
    fn no_dashboard_has_more_panels_than_can_be_taken_in() {
        for dashboard in all() {
            let panels = dashboard.rows.iter().map(|row| row.panels.len());
            assert!(panels.sum::<usize>() <= 16, "{}", dashboard.name);
        }
    }

    #[test]
    fn each_panel_says_what_it_shows_and_its_alert_is_one() {
        let alerts = alerts::all();
        for dashboard in all() {
            for panel in dashboard.rows.iter().flat_map(|row| &row.panels) {
                assert!(
                    !panel.description.is_empty() && !panel.unit.is_empty(),
                    "{}",
                    panel.title
                );
                if let Some((name, _)) = panel.alert {
                    assert!(alerts.iter().any(|alert| alert.name == name), "{name}");
                }
            }
        }
    }

    #[test]
    fn each_alert_leads_to_a_dashboard_that_there_is() {
        for alert in alerts::all() {
            assert!(
                all().iter().any(|it| it.name == alert.dashboard),
                "{}",
                alert.name
            );
        }
    }

    #[test]
    fn the_page_of_each_dashboard_is_classic_json_of_allowed_panels() {
        for dashboard in all() {
            let page: serde_json::Value = serde_json::from_str(&dashboard.json()).unwrap();
            assert_eq!(json::refused(&page), [] as [String; 0]);
            assert!(
                files::made()
                    .unwrap()
                    .contains_key(&format!("dashboards/{}.json", dashboard.name))
            );
        }
    }
}
