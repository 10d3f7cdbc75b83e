//! What breaks a contract, each found by its suite.

mod feed;
mod store;

use super::*;
