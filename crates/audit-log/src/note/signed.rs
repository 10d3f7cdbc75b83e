//! A note with its signatures, as bytes and read back.

use std::fmt;

use base64::{Engine as _, display::Base64Display, engine::general_purpose::STANDARD};

use super::{KeyId, KeyName, VerifyingKey};

/// The most bytes of a signed note.
pub const MAX_NOTE_BYTES: usize = 512 * 1024;

/// The most signatures of a note.
pub const MAX_SIGNATURES: usize = 64;

/// A text and the signatures under it. Nothing in it is to be believed before a signature is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: Box<str>,
    signatures: Vec<NoteSignature>,
}

/// A signature line: who signed, and what came of it, in the form of the key's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    name: KeyName,
    id: KeyId,
    signature: Box<[u8]>,
}

/// Why bytes are no signed note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// There are more bytes than a note may have.
    #[error("a note has at most 524288 bytes, not {found}")]
    TooLong {
        /// How many there are.
        found: usize,
    },
    /// It is not UTF-8, or has a control character.
    #[error("a note must be text without control characters; byte {at} is not")]
    NotText {
        /// The byte, from 0.
        at: usize,
    },
    /// No empty line stands between a text and its signatures, or nothing stands before it.
    #[error("a note must be a text, an empty line, and lines of signatures")]
    NoSignatures,
    /// A line below the text is no signature.
    #[error("signature {line} must be an em dash, a name, and base64 of a key id and more")]
    Malformed {
        /// The line below the text, from 1.
        line: usize,
    },
    /// There are more signatures than a note may have.
    #[error("a note has at most 64 signatures")]
    TooManySignatures,
}

const EM_DASH: &str = "\u{2014} ";

impl SignedNote {
    /// A note of that text, which ends its lines, and of these signatures, one at least.
    ///
    /// # Errors
    /// [`NoteError`] if it would not be read again.
    pub fn new(text: &str, signatures: Vec<NoteSignature>) -> Result<Self, NoteError> {
        let note = Self {
            text: text.into(),
            signatures,
        };
        match Self::parse(note.to_string().as_bytes()) {
            Ok(read) if read == note => Ok(note),
            Ok(_) => Err(NoteError::NoSignatures),
            Err(error) => Err(error),
        }
    }

    /// Reads a signed note.
    ///
    /// # Errors
    /// [`NoteError`] names what is wrong, and where.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        let found = bytes.len();
        if found > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong { found });
        }
        let not_text = |at| NoteError::NotText { at };
        let note = str::from_utf8(bytes).map_err(|error| not_text(error.valid_up_to()))?;
        if let Some(at) = bytes.iter().position(|byte| *byte < b' ' && *byte != b'\n') {
            return Err(not_text(at));
        }
        // The text keeps its last line end, the empty line is the next.
        let end = note.rfind("\n\n").ok_or(NoteError::NoSignatures)? + 1;
        let (text, lines) = (&note[..end], &note[end + 1..]);
        let lines = lines.strip_suffix('\n').ok_or(NoteError::NoSignatures)?;
        let mut signatures = Vec::new();
        for (index, line) in lines.split('\n').enumerate() {
            if index == MAX_SIGNATURES {
                return Err(NoteError::TooManySignatures);
            }
            let line_number = index + 1;
            let signature = NoteSignature::parse(line);
            signatures.push(signature.ok_or(NoteError::Malformed { line: line_number })?);
        }
        Ok(Self {
            text: text.into(),
            signatures,
        })
    }

    /// The text, unverified.
    pub(crate) fn unverified_text(&self) -> &str {
        &self.text
    }

    /// The signatures, of whatever key and type.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// The same note with one more signature under it, as that of a witness.
    ///
    /// # Errors
    /// [`NoteError`] if it has no room for one.
    pub fn with_signature(&self, signature: NoteSignature) -> Result<Self, NoteError> {
        let mut signatures = self.signatures.clone();
        signatures.push(signature);
        Self::new(&self.text, signatures)
    }
}

impl NoteSignature {
    pub(super) fn new(key: &VerifyingKey, signature: &[u8]) -> Self {
        Self {
            name: key.name().clone(),
            id: key.id(),
            signature: signature.into(),
        }
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, bytes) = line.strip_prefix(EM_DASH)?.split_once(' ')?;
        let bytes = STANDARD.decode(bytes).ok()?;
        let (id, signature) = bytes.split_first_chunk()?;
        if signature.is_empty() {
            return None;
        }
        Some(Self {
            name: name.parse().ok()?,
            id: KeyId::from_bytes(*id),
            signature: signature.into(),
        })
    }

    /// The name of the key that is said to have signed.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id of that key.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// What the key made, without its id.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.signature
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.id.as_bytes(), &*self.signature].concat();
        let bytes = Base64Display::new(&bytes, &STANDARD);
        write!(f, "{EM_DASH}{} {bytes}", self.name)
    }
}
