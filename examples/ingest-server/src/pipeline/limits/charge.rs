//! The charges of a request.

use portcullis_ratelimit::Category;

use crate::limits::SEARCH;

/// One charge of a request: to which limits it goes, and by which name its span is known.
#[derive(Debug)]
pub(in crate::pipeline) struct Charge {
    pub(super) name: &'static str,
    pub(super) category: Category,
    then: Then,
}

/// Whether a request is charged again after this.
#[derive(Debug, PartialEq, Eq)]
enum Then {
    /// It is: nothing is reported of it yet, unless it is refused now.
    More,
    Nothing,
}

impl Charge {
    /// Of a request that brings something, before its body is read.
    pub(in crate::pipeline) const REQUEST: Self =
        Self::new("charge_request", Category::INGEST, Then::More);

    /// Of what is read of a body, before more of it is unpacked.
    pub(in crate::pipeline) const BODY: Self =
        Self::new("charge_body", Category::INGEST, Then::More);

    /// Of all that a request brings.
    pub(in crate::pipeline) const CONTENT: Self =
        Self::new("charge_content", Category::INGEST, Then::Nothing);

    /// Of the erasure of a lead.
    pub(in crate::pipeline) const ERASURE: Self =
        Self::new("charge_erasure", Category::INGEST, Then::Nothing);

    /// Of reading one lead.
    pub(in crate::pipeline) const READ: Self =
        Self::new("charge_read", Category::READ, Then::Nothing);

    /// Of looking for leads, before they are looked for.
    pub(in crate::pipeline) const LOOK_UP: Self =
        Self::new("charge_read", Category::READ, Then::More);

    /// Of the leads that were found.
    pub(in crate::pipeline) const FOUND: Self =
        Self::new("charge_found", Category::READ, Then::Nothing);

    /// Of a search whose answer is masked.
    pub(in crate::pipeline) const SEARCH: Self = Self::new("charge_search", SEARCH, Then::Nothing);

    /// Of telling that personal data is not what is stored, which is such a search.
    pub(in crate::pipeline) const CONFLICT: Self =
        Self::new("charge_conflict", SEARCH, Then::Nothing);

    const fn new(name: &'static str, category: Category, then: Then) -> Self {
        Self {
            name,
            category,
            then,
        }
    }

    pub(super) fn is_last(&self) -> bool {
        self.then == Then::Nothing
    }
}
