//! The HTTP interface: connections, what stands around every route, and the routes.

mod answer;
mod guards;
pub(crate) mod listener;
pub(crate) mod problem;
pub(crate) mod routes;
mod run_detached;
