//! Sinks that take lines.

use std::{num::NonZeroUsize, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::timeout;

use super::{DeliveryError, LineWriter, REQUEST_TIMEOUT, RetrySchedule, Sink, TransportError};
use crate::{
    event::Timestamp,
    export::{Entry, Ocsf, Syslog},
};

/// Delivers leaves as framed messages of syslog.
///
/// Syslog has no answers: what was written to a connection that broke may be lost, and then `n` has a gap at the
/// receiver.
#[derive(Debug)]
pub struct SyslogSink {
    syslog: Syslog,
    writer: Arc<dyn LineWriter>,
}

/// Delivers leaves as lines of OCSF, to a file for example.
#[derive(Debug)]
pub struct OcsfLines {
    ocsf: Ocsf,
    writer: Arc<dyn LineWriter>,
}

const MAX_ENTRIES: NonZeroUsize = NonZeroUsize::new(128).expect("it is not zero");

impl SyslogSink {
    /// Messages of this kind, to this writer.
    #[must_use]
    pub fn new(syslog: Syslog, writer: Arc<dyn LineWriter>) -> Self {
        Self { syslog, writer }
    }
}

impl OcsfLines {
    /// Events of this kind, to this writer.
    #[must_use]
    pub fn new(ocsf: Ocsf, writer: Arc<dyn LineWriter>) -> Self {
        Self { ocsf, writer }
    }
}

#[async_trait]
impl Sink for SyslogSink {
    fn max_entries(&self) -> NonZeroUsize {
        MAX_ENTRIES
    }

    fn retries(&self) -> RetrySchedule {
        RetrySchedule::for_ever()
    }

    async fn deliver(&self, entries: &[Entry<'_>], _: Timestamp) -> Result<(), DeliveryError> {
        let mut frames = Vec::new();
        for entry in entries {
            self.syslog.write_frame(entry.leaf(), &mut frames);
        }
        write(&*self.writer, frames).await
    }
}

#[async_trait]
impl Sink for OcsfLines {
    fn max_entries(&self) -> NonZeroUsize {
        MAX_ENTRIES
    }

    fn retries(&self) -> RetrySchedule {
        RetrySchedule::for_ever()
    }

    async fn deliver(&self, entries: &[Entry<'_>], _: Timestamp) -> Result<(), DeliveryError> {
        let mut lines = Vec::new();
        for entry in entries {
            self.ocsf.write_line(entry.leaf(), &mut lines);
        }
        write(&*self.writer, lines).await
    }
}

async fn write(writer: &dyn LineWriter, lines: Vec<u8>) -> Result<(), DeliveryError> {
    let written = timeout(REQUEST_TIMEOUT, writer.write(Bytes::from(lines)));
    written.await.map_err(|_| TransportError::TimedOut)??;
    Ok(())
}
