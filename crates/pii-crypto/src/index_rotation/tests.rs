//! The rotation of the index root: its steps in a model with many processes, and the driver on tables in
//! memory.

mod driver;
mod leads;
mod model;
mod world;
