//! Dashboards as Grafana reads them: classic JSON, schema version 39.

use serde_json::{Value, json};

use super::{Dashboard, Panel, PanelKind};
use crate::alerts;

const SCHEMA: u32 = 39;
const WIDTH: usize = 24;
const HEIGHT: usize = 8;

/// The types of panels that there are, and the options that each takes: Grafana types neither.
#[cfg(test)]
const ALLOWED: [(&str, &[&str]); 5] = [
    ("row", &[]),
    ("timeseries", &["legend", "tooltip"]),
    ("stat", &["colorMode", "reduceOptions"]),
    ("table", &["showHeader"]),
    ("heatmap", &["calculate", "exemplars", "yAxis"]),
];

pub(super) fn file(dashboard: &Dashboard) -> String {
    let mut panels = Vec::new();
    let (mut id, mut y) = (0, 0);
    for row in &dashboard.rows {
        id += 1;
        panels.push(json!({
            "id": id, "type": "row", "title": row.title, "collapsed": false, "panels": [],
            "gridPos": { "x": 0, "y": y, "w": WIDTH, "h": 1 },
        }));
        y += 1;
        for panels_of_line in row.panels.chunks(4) {
            let width = WIDTH / panels_of_line.len();
            for (place, shown) in panels_of_line.iter().enumerate() {
                id += 1;
                let position = json!({ "x": place * width, "y": y, "w": width, "h": HEIGHT });
                panels.push(panel(shown, id, position));
            }
            y += HEIGHT;
        }
    }
    let page = json!({
        "uid": format!("portcullis-{}", dashboard.name),
        "title": format!("Portcullis / {}", dashboard.title),
        "tags": ["portcullis"],
        "schemaVersion": SCHEMA,
        "editable": false,
        "refresh": "30s",
        "time": { "from": "now-3h", "to": "now" },
        "templating": { "list": variables(dashboard) },
        "annotations": { "list": annotations() },
        "panels": panels,
    });
    format!("{page:#}\n")
}

fn source() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

fn variables(dashboard: &Dashboard) -> Vec<Value> {
    let of_label = |name: &str, label: &str, query: &str| {
        json!({
            "name": name, "label": label, "type": "query", "datasource": source(),
            "query": { "query": query, "refId": name }, "refresh": 2, "includeAll": true,
            "allValue": ".+", "multi": true, "current": { "text": "All", "value": "$__all" },
        })
    };
    let mut variables = vec![
        json!({ "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus" }),
        of_label("job", "Job", "label_values(build_info, job)"),
        of_label(
            "instance",
            "Process",
            "label_values(build_info{job=~\"$job\"}, instance)",
        ),
    ];
    if dashboard.tenants {
        variables.push(of_label(
            "tenant",
            "Tenant",
            "label_values(dq_received_total, tenant)",
        ));
    }
    variables
}

fn annotations() -> Vec<Value> {
    let annotation = |name: &str, query: &str, title: &str, colour: &str| {
        json!({
            "name": name, "datasource": source(), "enable": true, "iconColor": colour, "expr": query,
            "titleFormat": title,
        })
    };
    vec![
        annotation(
            "Alerts",
            "ALERTS{alertname=~\"Portcullis.*\",alertname!=\"PortcullisWatchdog\",alertstate=\"firing\"}",
            "{{alertname}}",
            "red",
        ),
        annotation(
            "Deploys",
            "changes(process_start_time_seconds{job=~\"$job\"}[1m]) > 0",
            "start of {{instance}}",
            "blue",
        ),
    ]
}

fn panel(panel: &Panel, id: usize, position: Value) -> Value {
    let mut letters = 'A'..='Z';
    let targets = panel.queries.iter().map(|(query, legend)| {
        json!({
            "refId": letters.next().unwrap_or('Z').to_string(), "datasource": source(), "expr": query,
            "legendFormat": legend, "instant": panel.kind == PanelKind::Table,
            "format": match panel.kind {
                PanelKind::Table => "table",
                PanelKind::Heatmap => "heatmap",
                PanelKind::Timeseries | PanelKind::Stat => "time_series",
            },
            "exemplar": panel.kind == PanelKind::Heatmap,
        })
    });
    let (kind, options) = match panel.kind {
        PanelKind::Timeseries => (
            "timeseries",
            json!({
                "legend": { "displayMode": "list", "placement": "bottom", "showLegend": true },
                "tooltip": { "mode": "multi", "sort": "desc" },
            }),
        ),
        PanelKind::Stat => (
            "stat",
            json!({
                "colorMode": "value",
                "reduceOptions": { "calcs": ["lastNotNull"], "fields": "", "values": false },
            }),
        ),
        PanelKind::Table => ("table", json!({ "showHeader": true })),
        PanelKind::Heatmap => (
            "heatmap",
            json!({ "calculate": false, "exemplars": { "color": "red" }, "yAxis": { "unit": panel.unit } }),
        ),
    };
    let mut steps = vec![json!({ "color": "green", "value": null })];
    let mut links = Vec::new();
    if let Some((name, threshold)) = panel.alert {
        steps.push(json!({ "color": "red", "value": threshold }));
        let alert = alerts::all().into_iter().find(|alert| alert.name == name);
        links.extend(alert.map(|alert| {
            json!({
                "title": format!("Runbook of {name}"), "type": "link", "url": alert.runbook_url(), "targetBlank": true,
                "asDropdown": false, "icon": "external link", "includeVars": false, "keepTime": false, "tags": [],
                "tooltip": "",
            })
        }));
    }
    let custom = match panel.kind {
        PanelKind::Timeseries => json!({ "thresholdsStyle": { "mode": "line" } }),
        _ => json!({}),
    };
    json!({
        "id": id, "type": kind, "title": panel.title, "description": panel.description, "gridPos": position,
        "datasource": source(), "targets": targets.collect::<Vec<_>>(), "options": options, "links": links,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit, "custom": custom,
                "thresholds": { "mode": "absolute", "steps": steps },
            },
            "overrides": [],
        },
    })
}

/// What is no panel of a type that is allowed, or has an option that its type does not take.
#[cfg(test)]
pub(super) fn refused(page: &Value) -> Vec<String> {
    let mut refused = Vec::new();
    for panel in page["panels"].as_array().into_iter().flatten() {
        let kind = panel["type"].as_str().unwrap_or_default();
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == kind) else {
            refused.push(format!("a panel of type {kind:?}"));
            continue;
        };
        let options = panel["options"].as_object().into_iter().flatten();
        let unknown = options.filter(|(name, _)| !allowed.contains(&name.as_str()));
        refused.extend(unknown.map(|(name, _)| format!("the option {name} of {kind}")));
        for place in [panel]
            .into_iter()
            .chain(panel["targets"].as_array().into_iter().flatten())
        {
            // A data source that is a string is refused by newer versions of Grafana, and shows nothing in others.
            if kind != "row" && place["datasource"]["uid"] != "${datasource}" {
                refused.push(format!("a data source of {kind} that is not the variable"));
            }
        }
    }
    if page["schemaVersion"] != SCHEMA {
        refused.push("another version of the schema".to_owned());
    }
    refused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planted_panel_option_or_data_source_is_refused() {
        let page = || {
            let mut page: Value =
                serde_json::from_str(&file(&crate::dashboards::all()[0])).unwrap();
            page["panels"] = json!([page["panels"][1]]);
            page
        };
        assert_eq!(refused(&page()), [] as [String; 0]);
        let plant = |pointer: &str, value: Value| {
            let mut page = page();
            *page.pointer_mut(pointer).unwrap() = value;
            refused(&page).len()
        };
        assert_eq!(plant("/panels/0/type", json!("piechart")), 1);
        assert_eq!(plant("/panels/0/options", json!({ "leg": {} })), 1);
        assert_eq!(plant("/panels/0/datasource", json!("Prometheus")), 1);
        assert_eq!(
            plant("/panels/0/targets/0/datasource", json!("Prometheus")),
            1
        );
        assert_eq!(plant("/schemaVersion", json!(40)), 1);
    }
}
