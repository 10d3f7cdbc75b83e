//! Memory, CPU time, files and threads of the process.

use std::fs;

use rustix::{
    process::{Resource, getrlimit},
    time::{ClockId, clock_gettime},
};

use super::{MetricError, Registry};

/// The names are those of Prometheus's own client libraries.
pub(super) fn register(registry: &Registry) -> Result<(), MetricError> {
    if status("VmRSS:").is_none() {
        return Ok(());
    }
    registry.observed_gauge(
        "process_resident_memory_bytes",
        "Memory of the process that is in RAM",
        || status("VmRSS:").unwrap_or_default() * 1024.0,
    )?;
    registry.observed_counter(
        "process_cpu_seconds_total",
        "CPU time of all threads, in user mode and in the kernel",
        cpu_seconds,
    )?;
    registry.observed_gauge("process_open_fds", "Open file descriptors", || {
        // Reading the folder holds one open itself.
        fs::read_dir("/proc/self/fd").map_or(0.0, |entries| as_f64(entries.count()) - 1.0)
    })?;
    registry.observed_gauge(
        "process_max_fds",
        "File descriptors that may be open",
        || {
            getrlimit(Resource::Nofile)
                .current
                .map_or(f64::INFINITY, |limit| limit as f64)
        },
    )?;
    registry.observed_gauge("process_threads", "Threads of the process", || {
        status("Threads:").unwrap_or_default()
    })
}

/// A number of `/proc/self/status`, see proc_pid_status(5).
fn status(key: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

fn cpu_seconds() -> f64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

fn as_f64(count: usize) -> f64 {
    count as f64
}
