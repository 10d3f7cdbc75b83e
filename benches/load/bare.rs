//! The bare reference: what a team would write that wants events and leads stored durably and nothing
//! else. axum, serde_json and SQLite, one writer with group commit, an answer after the commit.
//!
//! It looks at no key, limits nobody, validates nothing but the members it stores, seals nothing, and
//! records nothing of who read what; it belongs to the benches and to no program that serves. It is kept
//! as fast as it can plainly be: what it leaves out is the price of our promises, and nothing else is.

mod database;
mod reader;
mod routes;
mod writer;

use std::{
    io::{Write as _, stdout},
    path::Path,
    sync::Arc,
};

use axum::serve::ListenerExt as _;
use tokio::{net::TcpListener, runtime::Runtime};

use self::{reader::Readers, routes::Bare, writer::Writer};
use crate::Failure;

/// Serves from a database in this folder until it is ended.
pub(crate) fn serve(folder: &str) -> Result<(), Failure> {
    let file = Path::new(folder).join("bare.db");
    let writer = Writer::start(database::open(&file)?)?;
    let bare = Arc::new(Bare {
        writer,
        readers: Readers::of(&file),
    });
    Runtime::new()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        writeln!(stdout(), "public http://{}", listener.local_addr()?)?;
        let listener = listener.tap_io(|stream| {
            // Without it an answer only comes later.
            let _ = stream.set_nodelay(true);
        });
        Ok(axum::serve(listener, routes::router(bare)).await?)
    })
}
