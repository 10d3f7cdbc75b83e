//! A witness: somebody who cosigns each checkpoint that only adds to the one before.

mod answer;
mod witness_error;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri};
use ring::digest::{SHA256, digest};
use tokio::{
    runtime::Handle,
    task::spawn_blocking,
    time::{error::Elapsed, timeout},
};

use super::{Anchor, AnchorError};
use crate::{
    checkpoint::Checkpoint,
    export::Endpoint,
    note::{KeyName, MAX_NOTE_BYTES, NoteSignature, SignatureType, SignedNote, VerifyingKey},
    sink::{AddressPolicy, Reply, RequestLimits, Transport, TransportError},
    source::{StoreSource, TreeFileError, TreeFiles},
    store::Store,
    tree::ConsistencyProof,
};

pub use self::witness_error::WitnessError;

/// A witness of C2SP [tlog-witness](https://c2sp.org/tlog-witness): it is given each checkpoint with a proof that it
/// only adds to the last, and what it signs is kept in the checkpoint.
///
/// Cosignatures of the known keys are verified. Lines in the name of the witness that are as long as those of ML-DSA-44
/// are kept, unverified; all others are ignored.
///
/// What the witness has cosigned is remembered by another [`Anchor`], as a [`FileAnchor`](super::FileAnchor). If that is
/// lost, the witness says which size it has.
#[derive(Debug)]
pub struct WitnessAnchor {
    name: String,
    origin: KeyName,
    keys: Vec<VerifyingKey>,
    submission: Endpoint,
    monitoring: Option<Endpoint>,
    store: Arc<dyn Store>,
    memory: Arc<dyn Anchor>,
    transport: Arc<dyn Transport>,
    limits: RequestLimits,
}

/// What a witness is reached with.
#[derive(Debug)]
#[non_exhaustive]
pub struct WitnessConnection {
    /// Sends the requests.
    pub transport: Arc<dyn Transport>,
    /// Which addresses it may be at.
    pub addresses: AddressPolicy,
    /// The submission prefix: `/add-checkpoint` follows it.
    pub submission: Endpoint,
}

/// How often it is asked again with the size that it says it has.
const ATTEMPTS: u32 = 3;

impl WitnessConnection {
    /// A witness with this submission prefix.
    #[must_use]
    pub fn new(
        transport: Arc<dyn Transport>,
        addresses: AddressPolicy,
        submission: Endpoint,
    ) -> Self {
        Self {
            transport,
            addresses,
            submission,
        }
    }
}

impl WitnessAnchor {
    /// The witness of the log of that origin, which is in `store`; `keys` are those of the witness, of one name or
    /// several, and of type 04. What it has cosigned is remembered by `memory`, which is for nothing else.
    ///
    /// # Errors
    /// [`WitnessError::NoKey`] without a key of type 04.
    pub fn new(
        origin: KeyName,
        store: Arc<dyn Store>,
        memory: Arc<dyn Anchor>,
        keys: Vec<VerifyingKey>,
        connection: WitnessConnection,
    ) -> Result<Self, WitnessError> {
        let is_cosigner = |key: &VerifyingKey| key.kind() == SignatureType::CosignatureV1;
        let first = keys.first().filter(|_| keys.iter().all(is_cosigner));
        let name = first.ok_or(WitnessError::NoKey)?.name().to_string();
        let mut limits = RequestLimits::new(connection.addresses);
        limits.max_body = MAX_NOTE_BYTES;
        Ok(Self {
            name,
            origin,
            keys,
            submission: connection.submission,
            monitoring: None,
            store,
            memory,
            transport: connection.transport,
            limits,
        })
    }

    /// With its monitoring prefix: what it has cosigned last is read there too, so that a log whose own memory was put
    /// back is found out when it is opened.
    #[must_use]
    pub fn monitoring(mut self, prefix: Endpoint) -> Self {
        self.monitoring = Some(prefix);
        self
    }

    /// The size that it has cosigned of this log, as far as is remembered.
    async fn remembered(&self) -> u64 {
        // It tells itself, if nothing is remembered.
        let latest = self.memory.latest().await.ok().flatten();
        let checkpoint = latest.and_then(|note| Checkpoint::parse(note.unverified_text()).ok());
        checkpoint
            .filter(|checkpoint| *checkpoint.origin() == self.origin)
            .map_or(0, |checkpoint| checkpoint.size())
    }

    async fn add(&self, note: &SignedNote) -> Result<Vec<NoteSignature>, WitnessError> {
        let checkpoint = Checkpoint::parse(note.unverified_text())?;
        if *checkpoint.origin() != self.origin {
            return Err(WitnessError::OtherLog);
        }
        let size = checkpoint.size();
        let mut old = self.remembered().await.min(size);
        for _ in 0..ATTEMPTS {
            let proof = self.proof(old, size).await?;
            let body = add_checkpoint(&proof, note);
            let request = request(Method::POST, &self.submission, "add-checkpoint", body)?;
            let reply = self.send(request).await?;
            match reply.status {
                StatusCode::OK => return answer::cosignatures(note, &self.keys, &reply.body),
                StatusCode::CONFLICT => {
                    let had = answer::size(&reply.body)?;
                    if had > size {
                        return Err(WitnessError::Ahead { had, have: size });
                    }
                    old = had;
                }
                status => return Err(WitnessError::Refused { status }),
            }
        }
        Err(WitnessError::Busy)
    }

    /// That the tree of `old` leaves is the beginning of that of `size`: empty, if there is nothing to show.
    async fn proof(&self, old: u64, size: u64) -> Result<ConsistencyProof, WitnessError> {
        let source = StoreSource::new(Arc::clone(&self.store), Handle::current());
        let proving = move || {
            let files = TreeFiles::new(&source, size);
            ConsistencyProof::build(old, size, |subtree| files.subtree(subtree))
        };
        let proof = spawn_blocking(proving).await.map_err(WitnessError::task)?;
        Ok(proof.map_err(|error: TreeFileError| error)?)
    }

    /// What it has cosigned last, as it publishes it.
    async fn published(&self, prefix: &Endpoint) -> Result<Option<SignedNote>, WitnessError> {
        let hash = digest(&SHA256, self.origin.as_str().as_bytes());
        let hash: String = hash
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let path = format!("{hash}/checkpoint");
        let reply = self
            .send(request(Method::GET, prefix, &path, String::new())?)
            .await?;
        match reply.status {
            StatusCode::OK => Ok(Some(SignedNote::parse(&reply.body)?)),
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(WitnessError::Refused { status }),
        }
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Reply, WitnessError> {
        let reply = self.transport.request(request, &self.limits);
        let reply = timeout(self.limits.timeout, reply).await;
        Ok(reply.map_err(|_: Elapsed| TransportError::TimedOut)??)
    }
}

#[async_trait]
impl Anchor for WitnessAnchor {
    fn name(&self) -> &str {
        &self.name
    }

    /// What it publishes, or without that, what is remembered.
    async fn latest(&self) -> Result<Option<SignedNote>, AnchorError> {
        let published = match &self.monitoring {
            Some(prefix) => self.published(prefix).await.map_err(AnchorError::new)?,
            None => None,
        };
        match published {
            // Who can write the log may be able to write the memory too.
            Some(published) => Ok(Some(published)),
            None => self.memory.latest().await,
        }
    }

    async fn keep(&self, checkpoint: &SignedNote) -> Result<Vec<NoteSignature>, AnchorError> {
        let signatures = self.add(checkpoint).await.map_err(AnchorError::new)?;
        let mut cosigned = checkpoint.clone();
        for signature in &signatures {
            let signed = cosigned.with_signature(signature.clone());
            cosigned = signed.map_err(AnchorError::new)?;
        }
        self.memory.keep(&cosigned).await?;
        Ok(signatures)
    }
}

/// The body of `add-checkpoint`.
fn add_checkpoint(proof: &ConsistencyProof, note: &SignedNote) -> String {
    let mut body = format!("old {}\n", proof.old_size());
    for hash in proof.hashes() {
        body += &format!("{hash}\n");
    }
    body + &format!("\n{note}")
}

fn request(
    method: Method,
    prefix: &Endpoint,
    path: &str,
    body: String,
) -> Result<Request<Bytes>, WitnessError> {
    let mut parts = prefix.uri().clone().into_parts();
    let within = prefix.uri().path().trim_end_matches('/');
    let path = format!("{within}/{path}").parse();
    parts.path_and_query = Some(path.map_err(WitnessError::endpoint)?);
    let uri = Uri::from_parts(parts).map_err(WitnessError::endpoint)?;
    let request = Request::builder().method(method).uri(uri);
    request.body(body.into()).map_err(WitnessError::endpoint)
}
