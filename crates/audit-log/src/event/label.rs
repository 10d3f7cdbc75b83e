//! Constants of the program: what is done, to which fields and kinds of things, and why.

use std::fmt;

/// The most bytes of a label.
pub(super) const MAX_LABEL_BYTES: usize = 64;

/// Whether a text is 1 to 64 of `a-z`, `0-9`, `_`, `.` and `-`.
pub(super) const fn is_label(text: &[u8]) -> bool {
    if text.is_empty() || text.len() > MAX_LABEL_BYTES {
        return false;
    }
    let mut at = 0;
    while at < text.len() {
        if !matches!(text[at], b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-') {
            return false;
        }
        at += 1;
    }
    true
}

macro_rules! label {
    ($(#[$about:meta])* $name:ident) => {
        $(#[$about])*
        ///
        /// 1 to 64 of `a-z`, `0-9`, `_`, `.` and `-`, written in the program: no value of a request can become one.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(&'static str);

        impl $name {
            /// The constant of this name.
            ///
            /// # Panics
            /// On any other text: in a `const`, where it belongs, it does not compile.
            #[must_use]
            pub const fn new(name: &'static str) -> Self {
                assert!(
                    is_label(name.as_bytes()),
                    "a name has 1 to 64 of a-z, 0-9, `_`, `.` and `-`"
                );
                Self(name)
            }

            /// The name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

label! {
    /// What was done, as `lead.read`.
    ///
    /// ```compile_fail
    /// # use portcullis_audit_log::event::Action;
    /// const ACTION: Action = Action::new("Read of jane@example.com");
    /// ```
    Action
}
label! {
    /// A field that was shown or changed, as `lead.email`: its name, never what it holds.
    Field
}
label! {
    /// The kind of a thing that was acted on, as `lead`.
    ResourceType
}
label! {
    /// Why: the code of a stated reason, as `support`, or of what went wrong, as `missing_scope`.
    Code
}
