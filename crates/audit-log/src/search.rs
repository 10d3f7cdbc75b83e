//! Which events are looked for, and a page of them.

mod bisection;
mod cursor;
mod filter;
mod page;

pub use self::{
    bisection::Bisection,
    cursor::{InvalidCursor, SearchCursor},
    filter::{Filter, InvalidFilter, Term, TermKind},
    page::{Found, Page, PageSize, Query},
};

#[cfg(test)]
mod tests;
