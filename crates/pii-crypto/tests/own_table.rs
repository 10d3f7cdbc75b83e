//! The table of the example, in a file of SQLite: it keeps the contract of its rows, and a sweep over it
//! loses nothing, while others write and whenever it is killed.

#[path = "../examples/own_table/customers.rs"]
mod customers;

#[path = "own_table/contract.rs"]
mod contract;
#[path = "own_table/disturbed.rs"]
mod disturbed;
#[path = "own_table/failures.rs"]
mod failures;
#[path = "own_table/faulty.rs"]
mod faulty;
#[path = "own_table/interleavings.rs"]
mod interleavings;
#[path = "own_table/killed.rs"]
mod killed;
#[path = "own_table/migration.rs"]
mod migration;
#[path = "own_table/outages.rs"]
mod outages;
#[path = "own_table/read.rs"]
mod read;
#[path = "own_table/root_rotation.rs"]
mod root_rotation;
#[path = "own_table/shop.rs"]
mod shop;
#[path = "own_table/slow.rs"]
mod slow;
#[path = "own_table/verified.rs"]
mod verified;
#[path = "own_table/writers.rs"]
mod writers;
