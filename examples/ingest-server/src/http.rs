//! The HTTP interface: connections, what stands around every route, and the routes.

mod answer;
mod around_route;
mod bearer;
mod check_head;
mod guards;
mod json_text;
pub(crate) mod listener;
pub(crate) mod problem;
mod query;
mod refused_head;
pub(crate) mod routes;
mod run_detached;
