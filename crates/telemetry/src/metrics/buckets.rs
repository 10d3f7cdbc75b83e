//! Upper bounds of histogram buckets.

use std::borrow::Cow;

use prometheus_client::metrics::histogram::Histogram;

/// The upper bounds of a histogram's buckets.
#[derive(Clone, Debug)]
pub struct Buckets(Cow<'static, [f64]>);

impl Buckets {
    /// Seconds of an HTTP request: the bounds of the OpenTelemetry semantic conventions
    /// (`http.server.request.duration`) and 0.12 between 0.1 and 0.25.
    ///
    /// Quantiles are interpolated inside a bucket. Without the extra bound, traffic that takes
    /// 110 ms reads as a 95th percentile of 242 ms.
    pub const REQUEST_SECONDS: Self = Self(Cow::Borrowed(&[
        0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.12, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    ]));

    /// Seconds of work inside a process, from 10 µs to 1 s.
    pub const STAGE_SECONDS: Self = Self(Cow::Borrowed(&[
        0.000_01, 0.000_025, 0.000_1, 0.000_25, 0.001, 0.0025, 0.01, 0.025, 0.05, 0.12, 0.25, 1.0,
    ]));

    /// Seconds of a statement to a database: the bounds of the OpenTelemetry semantic conventions
    /// (`db.client.operation.duration`) and 0.12 between 0.1 and 0.5.
    pub const DATABASE_SECONDS: Self = Self(Cow::Borrowed(&[
        0.001, 0.005, 0.01, 0.05, 0.1, 0.12, 0.5, 1.0, 5.0, 10.0,
    ]));

    /// Bytes of a message, from 256 B to 4 MiB.
    pub const BYTES: Self = Self(Cow::Borrowed(&[
        256.0,
        1024.0,
        4096.0,
        16384.0,
        65536.0,
        262_144.0,
        1_048_576.0,
        4_194_304.0,
    ]));

    /// Bounds of your own. They are sorted; duplicates and what is not finite are left out.
    #[must_use]
    pub fn new(bounds: impl IntoIterator<Item = f64>) -> Self {
        let mut bounds: Vec<f64> = bounds
            .into_iter()
            .filter(|bound| bound.is_finite())
            .collect();
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        Self(Cow::Owned(bounds))
    }

    pub(super) fn histogram(&self) -> Histogram {
        Histogram::new(self.bounds())
    }

    pub(super) fn bounds(&self) -> impl Iterator<Item = f64> {
        self.0.iter().copied()
    }
}
