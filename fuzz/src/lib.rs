//! What the fuzz targets share: inputs with header lines, and known secrets.

pub mod json_text;
pub mod message;
pub mod secrets;
