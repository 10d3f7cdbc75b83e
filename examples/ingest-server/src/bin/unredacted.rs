//! The service with nothing hidden in logs, spans and samples.
//!
//! For the control run of the canary test, with invented data: it shows that the test would find what the service
//! hides.

fn main() -> std::process::ExitCode {
    ingest_server::dangerous_run_unredacted()
}
