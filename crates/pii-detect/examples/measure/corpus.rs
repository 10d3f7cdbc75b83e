//! Texts, what is somebody's in them, and what of it was found.

use std::{collections::BTreeMap, ops::Range};

use portcullis_pii_detect::{Detector, Finding, Kind};

/// What is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Column {
    Email,
    Phone,
    Card,
    Cpf,
    Cnpj,
    Ssn,
    Iban,
    ApiKey,
}

impl Column {
    pub(crate) const ALL: [Self; 8] = [
        Self::Email,
        Self::Phone,
        Self::Card,
        Self::Cpf,
        Self::Cnpj,
        Self::Ssn,
        Self::Iban,
        Self::ApiKey,
    ];

    pub(crate) const fn heading(self) -> &'static str {
        match self {
            Self::Email => "e-mail",
            Self::Phone => "phone",
            Self::Card => "card",
            Self::Cpf => "CPF",
            Self::Cnpj => "CNPJ",
            Self::Ssn => "SSN",
            Self::Iban => "IBAN",
            Self::ApiKey => "API key",
        }
    }

    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Email => Kind::Email,
            Self::Phone => Kind::Phone,
            Self::Card => Kind::PaymentCard,
            Self::Cpf | Self::Cnpj | Self::Ssn => Kind::NationalId,
            Self::Iban => Kind::BankAccount,
            Self::ApiKey => Kind::ApiKey,
        }
    }

    /// Whether it is what it is by its digits, whatever stands between them.
    pub(crate) const fn is_number(self) -> bool {
        !matches!(self, Self::Email | Self::ApiKey)
    }
}

/// A text, and the name of the field that holds it.
#[derive(Debug)]
pub(crate) struct Text {
    name: String,
    text: String,
    truth: Option<(Column, Range<usize>)>,
}

impl Text {
    pub(crate) fn innocent(name: &str, text: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            text: text.into(),
            truth: None,
        }
    }

    pub(crate) fn guilty(
        column: Column,
        name: &str,
        before: &str,
        value: &str,
        after: &str,
    ) -> Self {
        Self {
            name: name.to_owned(),
            text: format!("{before}{value}{after}"),
            truth: Some((column, before.len()..before.len() + value.len())),
        }
    }
}

/// Texts of one kind.
#[derive(Debug)]
pub(crate) struct Corpus {
    pub(crate) name: &'static str,
    pub(crate) purpose: Purpose,
    texts: Vec<Text>,
}

/// What is counted, and what has to be reached in percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Purpose {
    /// The texts in which something is found, of all: as few.
    FalseAlarms { target: Option<f64> },
    /// The values that are found, of all: as many.
    Recall { target: Option<f64> },
}

/// What [`Corpus::measure`] counted.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) corpus: &'static str,
    pub(crate) purpose: Purpose,
    pub(crate) texts: usize,
    /// Texts in which something was found that is not there.
    pub(crate) alarmed: usize,
    /// Such findings, by kind.
    pub(crate) false_findings: BTreeMap<&'static str, usize>,
    /// By column: values that were found, of all.
    pub(crate) recall: BTreeMap<Column, (usize, usize)>,
    /// The texts that went wrong, for who works on the rules.
    pub(crate) wrong: Vec<String>,
}

impl Corpus {
    pub(crate) fn innocent(name: &'static str, texts: Vec<Text>) -> Self {
        let purpose = Purpose::FalseAlarms { target: Some(0.1) };
        Self {
            name,
            purpose,
            texts,
        }
    }

    /// Texts of which some are by chance what they are taken for.
    pub(crate) fn chance(name: &'static str, texts: Vec<Text>) -> Self {
        let purpose = Purpose::FalseAlarms { target: None };
        Self {
            name,
            purpose,
            texts,
        }
    }

    pub(crate) fn guilty(name: &'static str, target: Option<f64>, texts: Vec<Text>) -> Self {
        let purpose = Purpose::Recall { target };
        Self {
            name,
            purpose,
            texts,
        }
    }

    pub(crate) fn measure(&self, detector: &Detector) -> Measured {
        let mut measured = Measured::new(self.name, self.purpose, self.texts.len());
        for text in &self.texts {
            let findings: Vec<_> = detector.find_named(&text.name, &text.text).collect();
            let of_truth = |finding: &Finding| {
                let truth = text.truth.as_ref();
                truth.is_some_and(|(column, range)| {
                    column.kind() == finding.kind && overlap(&finding.range, range)
                })
            };
            let wrong: Vec<_> = findings
                .iter()
                .filter(|finding| !of_truth(finding))
                .collect();
            measured.alarm(&wrong);
            let mut missed = false;
            if let Some((column, range)) = &text.truth {
                let found = findings.iter().any(of_truth) && covered(&text.text, range, &findings);
                let (all_found, all) = measured.recall.entry(*column).or_default();
                *all += 1;
                *all_found += usize::from(found);
                missed = !found;
            }
            if missed || !wrong.is_empty() {
                measured.wrong.push(told(text, missed, &findings));
            }
        }
        measured
    }
}

impl Measured {
    pub(crate) const fn new(corpus: &'static str, purpose: Purpose, texts: usize) -> Self {
        Self {
            corpus,
            purpose,
            texts,
            alarmed: 0,
            false_findings: BTreeMap::new(),
            recall: BTreeMap::new(),
            wrong: Vec::new(),
        }
    }

    /// Counts what was found in a text and is not there.
    pub(crate) fn alarm(&mut self, findings: &[&Finding]) {
        self.alarmed += usize::from(!findings.is_empty());
        for finding in findings {
            *self
                .false_findings
                .entry(finding.kind.as_str())
                .or_default() += 1;
        }
    }
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// Whether the findings hide each letter and digit of the value.
fn covered(text: &str, range: &Range<usize>, findings: &[Finding]) -> bool {
    let value = text[range.clone()].char_indices();
    value
        .filter(|(_, c)| c.is_alphanumeric())
        .all(|(offset, _)| {
            let at = range.start + offset;
            findings.iter().any(|finding| finding.range.contains(&at))
        })
}

fn told(text: &Text, missed: bool, findings: &[Finding]) -> String {
    let found: Vec<_> = findings
        .iter()
        .map(|finding| format!("{}:{:?}", finding.rule, &text.text[finding.range.clone()]))
        .collect();
    let what = match &text.truth {
        Some((column, _)) if missed => format!("missed {}", column.heading()),
        _ => "wrong".to_owned(),
    };
    format!(
        "{what}\t{:?}\t{:?}\t{}",
        text.name,
        text.text,
        found.join(" ")
    )
}
