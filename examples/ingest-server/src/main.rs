//! The binary: everything is in the library, so that tests and tools can reach it.

fn main() -> std::process::ExitCode {
    ingest_server::run()
}
