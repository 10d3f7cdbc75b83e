//! The promises of the service, each held against the real binary. Modules named `server_…` talk
//! to other programs too: a collector, Prometheus, parsers.
#![expect(
    clippy::unwrap_used,
    reason = "what a test does not expect is to fail it"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "deadlines on real processes are real time"
)]

#[path = "e2e/collected.rs"]
mod collected;
#[path = "e2e/disks.rs"]
mod disks;
#[path = "e2e/documented.rs"]
mod documented;
#[path = "e2e/files_of_secrets.rs"]
mod files_of_secrets;
#[path = "e2e/forms.rs"]
mod forms;
#[path = "e2e/harness.rs"]
mod harness;
#[path = "e2e/key_checks.rs"]
mod key_checks;
#[path = "e2e/movement.rs"]
mod movement;
#[path = "e2e/packages.rs"]
mod packages;
#[path = "e2e/probes.rs"]
mod probes;
#[path = "e2e/programs.rs"]
mod programs;
#[path = "e2e/raw.rs"]
mod raw;

#[path = "e2e/accounting.rs"]
mod accounting;
#[path = "e2e/admin_actions.rs"]
mod admin_actions;
#[path = "e2e/admin_bodies.rs"]
mod admin_bodies;
#[path = "e2e/answers.rs"]
mod answers;
#[path = "e2e/audit_anchors.rs"]
mod audit_anchors;
#[path = "e2e/audit_commands.rs"]
mod audit_commands;
#[path = "e2e/audit_damage.rs"]
mod audit_damage;
#[path = "e2e/audit_database.rs"]
mod audit_database;
#[path = "e2e/audit_ended.rs"]
mod audit_ended;
#[path = "e2e/audit_endings.rs"]
mod audit_endings;
#[path = "e2e/audit_erasures.rs"]
mod audit_erasures;
#[path = "e2e/audit_findings.rs"]
mod audit_findings;
#[path = "e2e/audit_hold.rs"]
mod audit_hold;
#[path = "e2e/audit_keys.rs"]
mod audit_keys;
#[path = "e2e/audit_parameters.rs"]
mod audit_parameters;
#[path = "e2e/audit_proofs.rs"]
mod audit_proofs;
#[path = "e2e/audit_report.rs"]
mod audit_report;
#[path = "e2e/audit_rollbacks.rs"]
mod audit_rollbacks;
#[path = "e2e/audit_rules.rs"]
mod audit_rules;
#[path = "e2e/audit_stream.rs"]
mod audit_stream;
#[path = "e2e/audit_verification.rs"]
mod audit_verification;
#[path = "e2e/audit_writes.rs"]
mod audit_writes;
#[path = "e2e/background.rs"]
mod background;
#[path = "e2e/backups.rs"]
mod backups;
#[path = "e2e/bad_configuration.rs"]
mod bad_configuration;
#[path = "e2e/bad_input.rs"]
mod bad_input;
#[path = "e2e/bad_settings.rs"]
mod bad_settings;
#[path = "e2e/changed_secrets.rs"]
mod changed_secrets;
#[path = "e2e/cloud_events.rs"]
mod cloud_events;
#[path = "e2e/conservation.rs"]
mod conservation;
#[path = "e2e/content_modes.rs"]
mod content_modes;
#[path = "e2e/counters.rs"]
mod counters;
#[path = "e2e/crash.rs"]
mod crash;
#[path = "e2e/data_key_metrics.rs"]
mod data_key_metrics;
#[path = "e2e/data_keys.rs"]
mod data_keys;
#[path = "e2e/database_faults.rs"]
mod database_faults;
#[path = "e2e/debt.rs"]
mod debt;
#[path = "e2e/degraded.rs"]
mod degraded;
#[path = "e2e/descriptors.rs"]
mod descriptors;
#[path = "e2e/detection.rs"]
mod detection;
#[path = "e2e/detection_file.rs"]
mod detection_file;
#[path = "e2e/dev_profile.rs"]
mod dev_profile;
#[path = "e2e/duplicates.rs"]
mod duplicates;
#[path = "e2e/earlier_database.rs"]
mod earlier_database;
#[path = "e2e/edited_keys.rs"]
mod edited_keys;
#[path = "e2e/encoded_personal_data.rs"]
mod encoded_personal_data;
#[path = "e2e/environments.rs"]
mod environments;
#[path = "e2e/erasure.rs"]
mod erasure;
#[path = "e2e/every_route.rs"]
mod every_route;
#[path = "e2e/fault_counters.rs"]
mod fault_counters;
#[path = "e2e/fields.rs"]
mod fields;
#[path = "e2e/former_fingerprints.rs"]
mod former_fingerprints;
#[path = "e2e/forwarded.rs"]
mod forwarded;
#[path = "e2e/golden.rs"]
mod golden;
#[path = "e2e/heads.rs"]
mod heads;
#[path = "e2e/health.rs"]
mod health;
#[path = "e2e/index_rotation.rs"]
mod index_rotation;
#[path = "e2e/key_authority.rs"]
mod key_authority;
#[path = "e2e/key_cache.rs"]
mod key_cache;
#[path = "e2e/key_commands.rs"]
mod key_commands;
#[path = "e2e/key_output.rs"]
mod key_output;
#[path = "e2e/key_rotation.rs"]
mod key_rotation;
#[path = "e2e/key_store_faults.rs"]
mod key_store_faults;
#[path = "e2e/keys.rs"]
mod keys;
#[path = "e2e/late_writes.rs"]
mod late_writes;
#[path = "e2e/limits.rs"]
mod limits;
#[path = "e2e/limits_file.rs"]
mod limits_file;
#[path = "e2e/locked_revocations.rs"]
mod locked_revocations;
#[path = "e2e/log_lines.rs"]
mod log_lines;
#[path = "e2e/lost_spans.rs"]
mod lost_spans;
#[path = "e2e/memory.rs"]
mod memory;
#[path = "e2e/moved.rs"]
mod moved;
#[path = "e2e/naughty_strings.rs"]
mod naughty_strings;
#[path = "e2e/objectives.rs"]
mod objectives;
#[path = "e2e/operators.rs"]
mod operators;
#[path = "e2e/patches.rs"]
mod patches;
#[path = "e2e/peppers.rs"]
mod peppers;
#[path = "e2e/phones.rs"]
mod phones;
#[path = "e2e/plaintext_reads.rs"]
mod plaintext_reads;
#[path = "e2e/policy_files.rs"]
mod policy_files;
#[path = "e2e/pressure.rs"]
mod pressure;
#[path = "e2e/probe.rs"]
mod probe;
#[path = "e2e/probe_tenant.rs"]
mod probe_tenant;
#[path = "e2e/quality_history.rs"]
mod quality_history;
#[path = "e2e/quality_pages.rs"]
mod quality_pages;
#[path = "e2e/races.rs"]
mod races;
#[path = "e2e/recorded_commands.rs"]
mod recorded_commands;
#[path = "e2e/recorded_routes.rs"]
mod recorded_routes;
#[path = "e2e/references.rs"]
mod references;
#[path = "e2e/requirements.rs"]
mod requirements;
#[path = "e2e/runtimes.rs"]
mod runtimes;
#[path = "e2e/schema_folders.rs"]
mod schema_folders;
#[path = "e2e/sealing.rs"]
mod sealing;
#[path = "e2e/search.rs"]
mod search;
#[path = "e2e/search_by_guess.rs"]
mod search_by_guess;
#[path = "e2e/secret_files.rs"]
mod secret_files;
#[path = "e2e/secrets.rs"]
mod secrets;
#[path = "e2e/security_headers.rs"]
mod security_headers;
#[path = "e2e/server_alerts.rs"]
mod server_alerts;
#[path = "e2e/server_audit_archive.rs"]
mod server_audit_archive;
#[path = "e2e/server_audit_ocsf.rs"]
mod server_audit_ocsf;
#[path = "e2e/server_audit_retention.rs"]
mod server_audit_retention;
#[path = "e2e/server_audit_sinks.rs"]
mod server_audit_sinks;
#[path = "e2e/server_audit_witness.rs"]
mod server_audit_witness;
#[cfg(feature = "aws-kms")]
#[path = "e2e/server_aws.rs"]
mod server_aws;
#[path = "e2e/server_blackbox.rs"]
mod server_blackbox;
#[path = "e2e/server_browser.rs"]
mod server_browser;
#[path = "e2e/server_canaries.rs"]
mod server_canaries;
#[path = "e2e/server_clocks.rs"]
mod server_clocks;
#[path = "e2e/server_decisions.rs"]
mod server_decisions;
#[path = "e2e/server_documents.rs"]
mod server_documents;
#[path = "e2e/server_full_disk.rs"]
mod server_full_disk;
#[path = "e2e/server_hung_disk.rs"]
mod server_hung_disk;
#[path = "e2e/server_key_canaries.rs"]
mod server_key_canaries;
#[path = "e2e/server_metrics.rs"]
mod server_metrics;
#[path = "e2e/server_redis.rs"]
mod server_redis;
#[path = "e2e/server_revocations.rs"]
mod server_revocations;
#[path = "e2e/server_rotation.rs"]
mod server_rotation;
#[path = "e2e/server_runbook.rs"]
mod server_runbook;
#[path = "e2e/server_silent_collectors.rs"]
mod server_silent_collectors;
#[path = "e2e/server_statements.rs"]
mod server_statements;
#[path = "e2e/server_traces.rs"]
mod server_traces;
#[cfg(feature = "vault")]
#[path = "e2e/server_vault.rs"]
mod server_vault;
#[path = "e2e/server_webhooks.rs"]
mod server_webhooks;
#[path = "e2e/shared_policies.rs"]
mod shared_policies;
#[path = "e2e/shares.rs"]
mod shares;
#[path = "e2e/shredding.rs"]
mod shredding;
#[path = "e2e/shutdown.rs"]
mod shutdown;
#[path = "e2e/slo_history.rs"]
mod slo_history;
#[path = "e2e/spoofed.rs"]
mod spoofed;
#[path = "e2e/stages.rs"]
mod stages;
#[path = "e2e/stopped_rotation.rs"]
mod stopped_rotation;
#[path = "e2e/tampered_leads.rs"]
mod tampered_leads;
#[path = "e2e/tampering.rs"]
mod tampering;
#[path = "e2e/tier_limits.rs"]
mod tier_limits;
#[path = "e2e/traced.rs"]
mod traced;
#[path = "e2e/two_rotations.rs"]
mod two_rotations;
#[path = "e2e/unplanned_types.rs"]
mod unplanned_types;
#[path = "e2e/untrusted_json.rs"]
mod untrusted_json;
#[path = "e2e/waiting.rs"]
mod waiting;
#[path = "e2e/wrong_secrets.rs"]
mod wrong_secrets;
