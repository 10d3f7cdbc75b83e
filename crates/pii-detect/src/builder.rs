//! What a detector looks for, chosen step by step.

use thiserror::Error;

use crate::{
    detector::Detector,
    finding::Confidence,
    kind::{Kind, KindSet},
    rules::secret::STANDARD_PREFIX,
};

/// Chooses what a [`Detector`] looks for; made by [`Detector::builder`].
#[derive(Clone, Debug)]
#[must_use = "a builder detects nothing: call `build`"]
pub struct DetectorBuilder {
    kinds: KindSet,
    min_confidence: Confidence,
    secret_prefixes: Vec<Box<str>>,
}

/// Why a detector could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A secret prefix is empty: every word of eight letters would be a secret.
    #[error("a secret prefix must have at least one character")]
    EmptyPrefix,
}

impl Detector {
    /// Chooses kinds and secret prefixes, starting from [`standard`](Self::standard).
    pub fn builder() -> DetectorBuilder {
        DetectorBuilder {
            kinds: KindSet::standard(),
            min_confidence: Confidence::Medium,
            secret_prefixes: vec![STANDARD_PREFIX.into()],
        }
    }
}

impl DetectorBuilder {
    /// Looks for these kinds and no others.
    pub fn kinds(mut self, kinds: impl IntoIterator<Item = Kind>) -> Self {
        self.kinds = kinds.into_iter().collect();
        self
    }

    /// Looks for this kind too.
    pub fn enable(mut self, kind: Kind) -> Self {
        self.kinds.insert(kind);
        self
    }

    /// Does not look for this kind. The text that it would have claimed is open to the other
    /// kinds.
    pub fn disable(mut self, kind: Kind) -> Self {
        self.kinds.remove(kind);
        self
    }

    /// Reports findings that are at least this sure; default: [`Confidence::Medium`].
    pub fn min_confidence(mut self, confidence: Confidence) -> Self {
        self.min_confidence = confidence;
        self
    }

    /// Recognises a word as [`Kind::ApiKey`] when it starts with this prefix, case and all, and at
    /// least eight letters, digits, `_` or `-` follow. The prefix `pcl_` is always known.
    pub fn secret_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.secret_prefixes.push(prefix.into().into());
        self
    }

    /// The detector.
    ///
    /// # Errors
    /// When a secret prefix is empty.
    pub fn build(self) -> Result<Detector, BuildError> {
        if self.secret_prefixes.iter().any(|prefix| prefix.is_empty()) {
            return Err(BuildError::EmptyPrefix);
        }
        Ok(Detector::new(
            self.kinds,
            self.min_confidence,
            self.secret_prefixes,
        ))
    }
}
