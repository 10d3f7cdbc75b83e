//! A test for each requirement, named after it: `r1_1_…` is of requirement 1.1. The comment above it is the
//! requirement as docs/requirements.md has it, which `ops generate` makes of these files; tests that it names besides
//! show more of the same. They are short on purpose: each shows that the requirement holds, and the others how far.

#[path = "requirements/api_keys.rs"]
mod api_keys;
#[path = "requirements/data_quality.rs"]
mod data_quality;
#[path = "requirements/monitoring.rs"]
mod monitoring;
#[path = "requirements/personal_data.rs"]
mod personal_data;
#[path = "requirements/rate_limits.rs"]
mod rate_limits;
#[path = "requirements/reliability.rs"]
mod reliability;
#[path = "requirements/secrets.rs"]
mod secrets;
#[path = "requirements/server_monitoring.rs"]
mod server_monitoring;
#[path = "requirements/server_programs.rs"]
mod server_programs;
#[path = "requirements/telemetry.rs"]
mod telemetry;
