//! Times of two classes, and whether they differ.

/// Of the sorted times of both classes, what is left below each crop: per cent.
const CROPS: [usize; 6] = [50, 75, 90, 95, 99, 100];
/// The crop that the difference is told of.
const USUAL: usize = 90;

/// In nanoseconds.
#[derive(Debug, Default)]
pub(crate) struct Times([Vec<f64>; 2]);

impl Times {
    pub(crate) fn record(&mut self, class: usize, nanoseconds: i64) {
        self.0[class].push(nanoseconds as f64);
    }

    /// The greatest |t| of all crops.
    pub(crate) fn most(&self) -> f64 {
        let found = CROPS.map(|percent| {
            let [one, other] = self.cropped(percent);
            (one.mean - other.mean).abs() / (one.error() + other.error()).sqrt()
        });
        found
            .into_iter()
            .filter(|t| t.is_finite())
            .fold(0.0, f64::max)
    }

    /// How much longer one class takes than the other, usually.
    pub(crate) fn difference(&self) -> f64 {
        let [one, other] = self.cropped(USUAL);
        (one.mean - other.mean).abs()
    }

    fn cropped(&self, percent: usize) -> [Moments; 2] {
        let mut all = self.0.concat();
        all.sort_by(f64::total_cmp);
        let last = (all.len() * percent / 100).saturating_sub(1);
        let most = all.get(last).copied().unwrap_or_default();
        self.0.each_ref().map(|times| Moments::of(times, most))
    }
}

/// Of the times up to a bound.
struct Moments {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    fn of(times: &[f64], most: f64) -> Self {
        let kept = || times.iter().filter(|time| **time <= most);
        let count = kept().count() as f64;
        let mean = kept().sum::<f64>() / count;
        let squares: f64 = kept().map(|time| (time - mean).powi(2)).sum();
        Self {
            count,
            mean,
            variance: squares / (count - 1.0),
        }
    }

    /// Of the mean, squared.
    fn error(&self) -> f64 {
        self.variance / self.count
    }
}
