//! What the fuzz targets share: inputs with header lines, recipes, and known secrets.

pub mod edits;
pub mod json_text;
pub mod message;
pub mod secrets;
