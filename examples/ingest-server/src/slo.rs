//! How much of what is promised was kept of late, and how fast what may fail is used up: the history of the
//! objectives that the service keeps itself, of all processes that share its database.

mod buckets;
mod burn;
mod counts;
mod objective;
mod recorder;
mod report;
mod window;

pub(crate) use self::{
    counts::{Counts, ObjectiveCounts},
    recorder::SloRecorder,
    report::SloReport,
};
