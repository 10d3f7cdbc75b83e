//! Files as this service wants them: read within bounds, made for their owner alone and never
//! through a link.

mod bounded;
mod exposure;
mod policy;
mod private;
mod real;
mod secret;

pub(crate) use self::{
    bounded::{Unreadable, read, read_text},
    exposure::{of_changeable_file, of_changeable_folder, of_file, of_folder, of_parents},
    policy::{FilePolicy, MAX_POLICY, PolicyFile, PolicyText},
    private::{create_folder, create_new, replace},
    real::real,
    secret::secret_text,
};
