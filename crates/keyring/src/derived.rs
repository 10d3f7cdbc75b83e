//! What a cipher keeps with a data key.

use std::{any::Any, fmt};

/// What a cipher derives from a data key and keeps with it: see [`PreparedKey::derived`](crate::PreparedKey::derived).
pub trait DerivedKeys: Any + fmt::Debug + Send + Sync {
    /// Drops what can be derived again, also of a key that is in use.
    ///
    /// [`Keyring::forget_unusable`](crate::Keyring::forget_unusable) calls it: what was derived for a while is not
    /// kept with a key that nobody uses any more.
    fn clear(&self);
}
