//! How far a long command has come: a bar on a terminal, a line now and then elsewhere. It goes to standard
//! error; what the command is asked for goes to standard output.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::Arc,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use portcullis_keyring::sweep::Progress;

use crate::clock::Clock;

/// Shows progress.
pub(super) struct Shown {
    /// None where no person looks.
    bar: Option<ProgressBar>,
    clock: Arc<dyn Clock>,
    /// What the last line said it was at, and when.
    told: Option<(String, Duration)>,
}

const TELL_EVERY: Duration = Duration::from_secs(5);
const BAR: &str = "{msg}\n{wide_bar} {pos}/{len}  {per_sec}  {eta} left";

impl Shown {
    pub(super) fn new(clock: &Arc<dyn Clock>) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(BAR).expect("the template has its form");
            ProgressBar::new(0).with_style(style)
        });
        Self {
            bar,
            clock: Arc::clone(clock),
            told: None,
        }
    }

    /// Shows how far it has come at something.
    pub(super) fn show(&mut self, at: &str, progress: &Progress) {
        let Some(bar) = &self.bar else {
            self.tell(at, progress);
            return;
        };
        bar.set_message(at.to_owned());
        bar.set_length(progress.total.max(progress.done));
        bar.set_position(progress.done);
    }

    /// Takes the bar away.
    pub(super) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn tell(&mut self, at: &str, progress: &Progress) {
        let now = self.clock.monotonic();
        let is_told = self
            .told
            .as_ref()
            .is_some_and(|(told, when)| told == at && now.saturating_sub(*when) < TELL_EVERY);
        if is_told {
            return;
        }
        self.told = Some((at.to_owned(), now));
        let Progress {
            done,
            total,
            failed,
            ..
        } = progress;
        let mut line = at.to_owned();
        if *total > 0 || *done > 0 {
            line.push_str(&format!(": {done} of {total}, {:.0}/s", progress.rate()));
        }
        if *failed > 0 {
            line.push_str(&format!(", {failed} failed"));
        }
        // With no standard error left there is nobody to tell.
        drop(writeln!(io::stderr().lock(), "{line}"));
    }
}
