//! What the process takes of the machine's memory.

use std::fs;

/// The process's memory in bytes.
pub(crate) fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.unwrap().split_whitespace().next().unwrap();
    kib.parse::<f64>().unwrap() * 1024.0
}
