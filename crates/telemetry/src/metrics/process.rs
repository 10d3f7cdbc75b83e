//! Memory, CPU time, files, threads and start of the process.

use std::fs;

use rustix::{
    param::clock_ticks_per_second,
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
    })?;
    let Some(started) = start_seconds() else {
        return Ok(());
    };
    registry.observed_gauge(
        "process_start_time_seconds",
        "When the process was started, in seconds since 1970",
        move || started,
    )
}

/// The kernel has the start of the process in ticks since its own, see proc_pid_stat(5).
fn start_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in parentheses, may have anything in it.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: f64 = fields.split_whitespace().nth(START_TIME)?.parse().ok()?;
    let kernel = fs::read_to_string("/proc/stat").ok()?;
    let mut lines = kernel.lines();
    let boot = lines.find_map(|line| line.strip_prefix("btime "))?;
    let boot: f64 = boot.trim().parse().ok()?;
    Some(boot + ticks / clock_ticks_per_second() as f64)
}

/// The 22nd field, counted from the third.
const START_TIME: usize = 19;

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
