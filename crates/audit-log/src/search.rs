//! Which events are looked for, and a page of them.

mod cursor;
mod filter;
mod page;

pub use self::{
    cursor::{InvalidCursor, SearchCursor},
    filter::{Filter, InvalidFilter, Term, TermKind},
    page::{Found, Page, PageSize, Query},
};

#[cfg(test)]
mod tests;
