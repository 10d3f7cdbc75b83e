//! The promises of the service, each held against the real binary.

#[path = "e2e/harness.rs"]
mod harness;

#[path = "e2e/bad_configuration.rs"]
mod bad_configuration;
#[path = "e2e/bad_input.rs"]
mod bad_input;
#[path = "e2e/crash.rs"]
mod crash;
#[path = "e2e/dev_profile.rs"]
mod dev_profile;
#[path = "e2e/duplicates.rs"]
mod duplicates;
#[path = "e2e/keys.rs"]
mod keys;
#[path = "e2e/pressure.rs"]
mod pressure;
#[path = "e2e/sealing.rs"]
mod sealing;
#[path = "e2e/tampering.rs"]
mod tampering;
