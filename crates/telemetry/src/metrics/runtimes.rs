//! What tokio's runtimes are doing.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::MetricType,
};
use tokio::runtime::{Handle, RuntimeMetrics};

use super::{MetricError, Registry};

/// Metrics of the tokio runtimes of a process, each under the name it is given in the label `runtime`.
///
/// `tokio_workers`, `tokio_alive_tasks`, `tokio_global_queue_depth` (tasks that wait for any worker),
/// `tokio_workers_busy_seconds_total` and `tokio_workers_parks_total`. The busy ratio of a runtime is
/// `rate(tokio_workers_busy_seconds_total[1m]) / tokio_workers`. They are what tokio measures without
/// `tokio_unstable`, read on each scrape.
#[derive(Clone, Debug)]
pub struct Runtimes(Watched);

/// What tells runtimes apart.
const LABEL: &str = "runtime";

type Watched = Arc<Mutex<Vec<(&'static str, RuntimeMetrics)>>>;

/// A process has a few runtimes: those beyond are not shown.
const MAX_RUNTIMES: usize = 16;

impl Runtimes {
    /// The metrics in this registry, of no runtime yet.
    ///
    /// # Errors
    /// When the registry has them already.
    pub fn register(registry: &Registry) -> Result<Self, MetricError> {
        let runtimes = Self(Watched::default());
        let register = |name, help, read| {
            let watched = Arc::clone(&runtimes.0);
            registry.register_labelled(name, help, [LABEL], OfRuntimes { watched, read })
        };
        let gauge = |name, help, read| register(name, help, Read::Gauge(read));
        let counter = |name, help, read| register(name, help, Read::Counter(read));
        gauge("tokio_workers", "Threads that run tasks", |runtime| {
            as_f64(runtime.num_workers())
        })?;
        gauge(
            "tokio_alive_tasks",
            "Tasks that have not ended",
            |runtime| as_f64(runtime.num_alive_tasks()),
        )?;
        gauge(
            "tokio_global_queue_depth",
            "Tasks that wait for any worker of their runtime",
            |runtime| as_f64(runtime.global_queue_depth()),
        )?;
        counter(
            "tokio_workers_busy_seconds",
            "Time that workers spent running tasks, of all workers together",
            |runtime| {
                of_workers(runtime, |worker| {
                    runtime.worker_total_busy_duration(worker).as_secs_f64()
                })
            },
        )?;
        counter(
            "tokio_workers_parks",
            "How often workers went to sleep since there was nothing to run",
            |runtime| of_workers(runtime, |worker| runtime.worker_park_count(worker) as f64),
        )?;
        Ok(runtimes)
    }

    /// Shows this runtime under this name from now on; of two with one name, the later.
    pub fn watch(&self, name: &'static str, runtime: &Handle) {
        let mut watched = lock(&self.0);
        watched.retain(|(known, _)| *known != name);
        if watched.len() < MAX_RUNTIMES {
            watched.push((name, runtime.metrics()));
        }
    }
}

fn of_workers(runtime: &RuntimeMetrics, read: impl Fn(usize) -> f64) -> f64 {
    (0..runtime.num_workers()).map(read).sum()
}

fn as_f64(count: usize) -> f64 {
    count as f64
}

fn lock<T>(watched: &Mutex<T>) -> MutexGuard<'_, T> {
    watched
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// One number of each runtime.
struct OfRuntimes {
    watched: Watched,
    read: Read,
}

#[derive(Clone, Copy)]
enum Read {
    Gauge(fn(&RuntimeMetrics) -> f64),
    Counter(fn(&RuntimeMetrics) -> f64),
}

impl EncodeMetric for OfRuntimes {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        for (name, runtime) in lock(&self.watched).iter() {
            let labels = [(LABEL, *name)];
            let mut encoder = encoder.encode_family(&labels)?;
            match self.read {
                Read::Gauge(read) => encoder.encode_gauge(&read(runtime))?,
                Read::Counter(read) => {
                    encoder.encode_counter::<NoLabelSet, _, f64>(&read(runtime), None)?;
                }
            }
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        match self.read {
            Read::Gauge(_) => MetricType::Gauge,
            Read::Counter(_) => MetricType::Counter,
        }
    }

    fn is_empty(&self) -> bool {
        lock(&self.watched).is_empty()
    }
}

impl fmt::Debug for OfRuntimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfRuntimes").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::movement::assert_moved;

    fn value(registry: &Registry, name: &str) -> f64 {
        let body = registry.render(None).unwrap().body;
        let sample = format!("{name}{{runtime=\"main\"}} ");
        let mut lines = body.lines();
        let line = lines.find_map(|line| line.strip_prefix(&sample));
        line.unwrap_or_else(|| panic!("{sample} in {body}"))
            .parse()
            .unwrap()
    }

    #[test]
    fn a_runtime_shows_what_it_does() {
        let registry = Registry::new();
        let runtimes = Runtimes::register(&registry).unwrap();
        let body = || registry.render(None).unwrap().body;
        let unwatched = body();
        assert!(!unwatched.contains("tokio_"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtimes.watch("main", runtime.handle());
        assert_eq!(value(&registry, "tokio_workers"), 1.0);
        let idle = body();
        assert_moved(&unwatched, &idle, ["tokio_workers"]);
        let tasks: Vec<_> = (0..3)
            .map(|_| runtime.spawn(std::future::pending::<()>()))
            .collect();
        assert_eq!(value(&registry, "tokio_alive_tasks"), 3.0);
        // Nobody runs them yet.
        assert_eq!(value(&registry, "tokio_global_queue_depth"), 3.0);
        assert_moved(
            &idle,
            &body(),
            ["tokio_alive_tasks", "tokio_global_queue_depth"],
        );
        assert!(value(&registry, "tokio_workers_busy_seconds_total") >= 0.0);
        assert!(value(&registry, "tokio_global_queue_depth") >= 0.0);
        let before = value(&registry, "tokio_workers_parks_total");
        runtime.block_on(async {
            for task in &tasks {
                task.abort();
            }
            for task in tasks {
                let _ = task.await;
            }
            let (wake, woken) = tokio::sync::oneshot::channel();
            let waker = std::thread::spawn(move || wake.send(()));
            woken.await.unwrap();
            waker.join().unwrap().unwrap();
        });
        assert_eq!(value(&registry, "tokio_alive_tasks"), 0.0);
        assert!(value(&registry, "tokio_workers_parks_total") >= before);
    }

    #[test]
    fn a_name_stands_for_one_runtime_and_there_are_few() {
        let registry = Registry::new();
        let runtimes = Runtimes::register(&registry).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtimes.watch("main", runtime.handle());
        runtimes.watch("main", runtime.handle());
        let names: Vec<&'static str> = vec![
            "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16",
        ];
        names
            .into_iter()
            .for_each(|name| runtimes.watch(name, runtime.handle()));
        let body = registry.render(None).unwrap().body;
        let shown = body
            .lines()
            .filter(|line| line.starts_with("tokio_workers{"))
            .count();
        assert_eq!(shown, MAX_RUNTIMES);
    }
}
