//! The reasons of an importer of invoices.

use portcullis_dq_metrics::{Dimension, Facts, Reason, Severity};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    SupplierUnknown,
    Unreadable,
    KindUnknown,
    FieldMissing,
    TooOld,
    SumWrong,
    QueueFull,
    Internal,
}

impl Reason for Fault {
    const ALL: &'static [Self] = &[
        Self::SupplierUnknown,
        Self::Unreadable,
        Self::KindUnknown,
        Self::FieldMissing,
        Self::TooOld,
        Self::SumWrong,
        Self::QueueFull,
        Self::Internal,
    ];

    fn index(self) -> usize {
        self as usize
    }

    fn facts(self) -> Facts {
        match self {
            Self::SupplierUnknown => {
                Facts::new("admit.supplier_unknown", "No supplier has this number.")
                    .remediation("Register the supplier first.")
                    .severity(Severity::Info)
            }
            Self::Unreadable => Facts::new("read.unreadable", "The file is not an invoice.")
                .remediation("Export it again.")
                .dimension(Dimension::Validity)
                .severity(Severity::Error),
            Self::KindUnknown => Facts::new("check.kind_unknown", "The kind is not one of ours.")
                .remediation("Send invoices and credit notes.")
                .dimension(Dimension::Validity),
            Self::FieldMissing => Facts::new("check.field_missing", "A required field is empty.")
                .remediation("Fill it in.")
                .dimension(Dimension::Completeness)
                .severity(Severity::Error),
            Self::TooOld => Facts::new("check.too_old", "The period is closed.")
                .remediation("Send sooner.")
                .dimension(Dimension::Timeliness),
            Self::SumWrong => Facts::new("check.sum_wrong", "The total is not the sum.")
                .remediation("Correct the total.")
                .dimension(Dimension::Consistency),
            Self::QueueFull => Facts::new("store.queue_full", "The queue is full.")
                .remediation("Try again later.")
                .severity(Severity::Error)
                .unexpected(),
            Self::Internal => Facts::new("internal", "The importer failed.")
                .remediation("Report it.")
                .severity(Severity::Critical)
                .unexpected(),
        }
    }
}
