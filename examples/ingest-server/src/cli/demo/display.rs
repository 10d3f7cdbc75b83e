//! The summary while it grows: redrawn in place on a terminal, a line now and then elsewhere.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

use super::{error::DemoError, summary::Summary};

/// How often a line is printed where nothing can be redrawn.
const EVERY: Duration = Duration::from_secs(5);

/// Where the growing summary goes.
#[derive(Debug)]
pub(super) enum Display {
    Terminal(ProgressBar),
    Lines { next: Duration },
}

impl Display {
    pub(super) fn new() -> Self {
        if !io::stdout().is_terminal() {
            return Self::Lines {
                next: Duration::ZERO,
            };
        }
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {msg}") {
            bar.set_style(style);
        }
        Self::Terminal(bar)
    }

    pub(super) fn show(
        &mut self,
        summary: &Summary,
        elapsed: Duration,
        length: Duration,
    ) -> Result<(), DemoError> {
        let (seconds, of) = (elapsed.as_secs(), length.as_secs());
        match self {
            Self::Terminal(bar) => {
                bar.set_length(of);
                bar.set_position(seconds);
                bar.set_message(format!("{seconds} of {of} s\n\n{summary}"));
            }
            Self::Lines { next } if elapsed >= *next => {
                *next += EVERY;
                writeln!(io::stdout().lock(), "sending for {seconds} of {of} s …")
                    .map_err(|error| DemoError::Output(error.kind()))?;
            }
            Self::Lines { .. } => {}
        }
        Ok(())
    }

    pub(super) fn end(self) {
        if let Self::Terminal(bar) = self {
            bar.finish_and_clear();
        }
    }
}
