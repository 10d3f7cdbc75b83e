//! Why an observation of a weather station is refused.

use portcullis_dq_metrics::{Dimension, Facts, Reason, Severity};

/// The reasons of this importer, in the order of its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Garbled,
    NoTemperature,
    Implausible,
    Late,
    ArchiveFull,
}

impl Reason for Fault {
    const ALL: &'static [Self] = &[
        Self::Garbled,
        Self::NoTemperature,
        Self::Implausible,
        Self::Late,
        Self::ArchiveFull,
    ];

    fn index(self) -> usize {
        self as usize
    }

    fn facts(self) -> Facts {
        match self {
            Self::Garbled => Facts::new("line.garbled", "The line has not four fields.")
                .remediation("Look at the cable and at the baud rate.")
                .dimension(Dimension::Validity)
                .severity(Severity::Error),
            Self::NoTemperature => Facts::new("sensor.no_temperature", "No temperature was read.")
                .remediation("Replace the sensor.")
                .dimension(Dimension::Completeness),
            Self::Implausible => Facts::new("sensor.implausible", "No place on Earth is so.")
                .remediation("Calibrate the sensor, and shade it.")
                .dimension(Dimension::Consistency),
            Self::Late => Facts::new("clock.late", "The forecast it was for is out.")
                .remediation("Send each observation within the hour.")
                .dimension(Dimension::Timeliness)
                .severity(Severity::Info),
            Self::ArchiveFull => Facts::new("archive.full", "The archive takes nothing now.")
                .remediation("Make room on the disk.")
                .severity(Severity::Critical)
                .unexpected(),
        }
    }
}
