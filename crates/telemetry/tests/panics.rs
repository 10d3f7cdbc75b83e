//! A panic has its line, or none, and nothing worse: each case is a process of its own, since there
//! is one panic hook and one standard error.
#![expect(
    clippy::unwrap_used,
    reason = "what a test does not expect is to fail it"
)]

#[path = "support/movement.rs"]
mod movement;

use std::{
    fmt,
    fs::File,
    io::{self, Write},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, OnceLock},
    thread,
    time::{Duration, Instant, SystemTime},
};

use portcullis_telemetry::{Environment, Guard, Telemetry, clock::Clock};
use tracing::info_span;
use tracing_subscriber::fmt::MakeWriter;

use self::movement::assert_moved;

/// Tells the child which case it is.
const CASE: &str = "PORTCULLIS_PANIC_CASE";

/// Far more than any case takes, and the end of one that hangs.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A pipe holds 64 KiB; a call site writes 200 lines a second.
const LINES: usize = 100;

/// The child's part: panics, and says that it goes on.
#[test]
fn child() {
    #[expect(clippy::disallowed_methods, reason = "what the test says to its child")]
    let Ok(case) = std::env::var(CASE) else {
        return;
    };
    let builder = Telemetry::builder("svc").environment(Environment::empty());
    let guard = match case.as_str() {
        "year 10000" | "before the calendar" => builder.clock(Arc::new(Far(case == "year 10000"))),
        "a clock that panics" => builder.clock(Arc::new(Broken)),
        "a lock is held" => builder.writer(LOCKED.get_or_init(Locked::default)),
        "a writer that panics" => builder.writer(|| Breaking),
        _ => builder,
    };
    let guard = guard.init().unwrap();
    let metrics = |guard: &Guard| guard.registry().render(None).unwrap().body;
    let before = metrics(&guard);
    for _ in 0..2 {
        let panicked = thread::spawn(|| {
            info_span!("worker").in_scope(|| {
                let _held = LOCKED.get().map(Locked::lock);
                panic!("a bug");
            });
        });
        assert!(panicked.join().is_err());
    }
    assert_moved(&before, &metrics(&guard), ["telemetry_panics_total"]);
    if case == "a full pipe" {
        for _ in 0..LINES {
            tracing::info!("{}", "x".repeat(2_000));
        }
    }
    let metrics = guard.registry().render(None).unwrap().body;
    let counts = [
        "telemetry_panics_total",
        "telemetry_log_lines_dropped_total",
    ];
    for line in metrics.lines() {
        if counts.iter().any(|name| line.starts_with(name)) {
            println!("{line}");
        }
    }
    if let Some(locked) = LOCKED.get() {
        println!("written: {}", String::from_utf8_lossy(&locked.lock()));
    }
    println!("it goes on");
}

/// A writer whose lock the panicking thread may hold.
#[derive(Debug, Default)]
struct Locked(Mutex<Vec<u8>>);

static LOCKED: OnceLock<Locked> = OnceLock::new();

impl Locked {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Write for &Locked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for &'static Locked {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self
    }
}

struct Breaking;

impl Write for Breaking {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        panic!("a writer with a bug")
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A clock that is set to a time no calendar has: the end of time, or its beginning.
struct Far(bool);

impl Clock for Far {
    fn wall(&self) -> SystemTime {
        let distance = Duration::from_secs(1 << 50);
        if self.0 {
            SystemTime::UNIX_EPOCH + distance
        } else {
            SystemTime::UNIX_EPOCH - distance
        }
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

impl fmt::Debug for Far {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Far")
    }
}

#[derive(Debug)]
struct Broken;

impl Clock for Broken {
    fn wall(&self) -> SystemTime {
        panic!("a clock with a bug")
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

fn start(case: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(CASE, case)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What it said on standard output. One that hangs or dies fails the test.
fn end(mut child: Child, case: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "a deadline on another process")]
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > TIMEOUT {
            child.kill().unwrap();
            panic!("{case}: it hangs");
        }
        thread::park_timeout(Duration::from_millis(10));
    }
    let mut said = String::new();
    io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut said).unwrap();
    let ended = child.wait().unwrap();
    assert!(ended.success(), "{case}: {ended}: {said}");
    assert!(said.contains("it goes on"), "{case}: {said}");
    said
}

#[test]
fn a_panic_costs_its_thread_alone_wherever_its_line_goes() {
    let cases = [
        ("year 10000", 2, true),
        ("before the calendar", 2, true),
        ("a clock that panics", 4, false),
        ("a writer that panics", 4, false),
        ("a lock is held", 2, false),
    ];
    for (case, panics, is_told) in cases {
        let output = start(case).output().unwrap();
        let (said, log) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(output.status.success(), "{case}: {said} {log}");
        assert!(said.contains("it goes on"), "{case}: {said} {log}");
        let count = format!("telemetry_panics_total {panics}.0\n");
        assert!(said.contains(&count), "{case}: {said}");
        let lines = log.matches(r#""panic.message":"a bug""#).count();
        assert_eq!(lines, if is_told { 2 } else { 0 }, "{case}: {log}");
        if case == "a lock is held" {
            // Written once the lock is given back.
            assert!(said.contains(r#""panic.message":"a bug""#), "{said}");
        }
    }
}

#[test]
fn a_standard_error_that_takes_nothing_costs_lines_and_no_more() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let said = end(start("full").stderr(full).spawn().unwrap(), "/dev/full");
    assert!(said.contains("telemetry_panics_total 2.0\n"), "{said}");
    assert!(said.contains(r#"{reason="write"} 2"#), "{said}");

    let mut command = Command::new("sh");
    let child = start("closed");
    command
        .args(["-c", "exec \"$@\" 2>&-", "sh"])
        .arg(child.get_program())
        .args(child.get_args())
        .env(CASE, "closed")
        .stdout(Stdio::piped());
    let said = end(command.spawn().unwrap(), "closed");
    assert!(said.contains("telemetry_panics_total 2.0\n"), "{said}");

    // Nobody reads it until the child has ended.
    let said = end(start("a full pipe").spawn().unwrap(), "a full pipe");
    let dropped = said.lines().find_map(|line| {
        line.strip_prefix(r#"telemetry_log_lines_dropped_total{reason="write"} "#)
    });
    assert!(dropped.unwrap().parse::<u64>().unwrap() > 0, "{said}");
}
