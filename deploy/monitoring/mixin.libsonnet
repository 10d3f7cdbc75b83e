// Made by `ops generate`. Do not edit.
local rules(file) = std.parseYaml(file);
{
  grafanaDashboards+:: {
    'overview.json': import 'dashboards/overview.json',
    'security.json': import 'dashboards/security.json',
    'performance.json': import 'dashboards/performance.json',
    'quality.json': import 'dashboards/quality.json',
    'health.json': import 'dashboards/health.json',
    'slo.json': import 'dashboards/slo.json',
  },
  prometheusRules+:: rules(importstr 'rules/recording.yml'),
  prometheusAlerts+:: {
    groups+: rules(importstr 'rules/alerts.yml').groups + rules(importstr 'rules/slo.yml').groups,
  },
}
