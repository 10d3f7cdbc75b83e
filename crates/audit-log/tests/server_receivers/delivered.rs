//! A log that is followed, and a receiver in another process that fails, hangs and recovers.

use std::{
    fs,
    io::Write as _,
    net::{IpAddr, SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode};
use portcullis_audit_log::{
    clock::SystemClock,
    entropy::SystemEntropy,
    event::{
        Action, Activity, Actor, ActorType, Delivery, EventBuilder, EventId, Id, Stamp, Timestamp,
    },
    export::{Endpoint, Webhook, WebhookSecrets},
    sink::{
        AddressPolicy, FollowEnd, Follower, Reply, RequestLimits, Transport, TransportError,
        WebhookSink,
    },
    store::{Group, MemoryStore, Store as _},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NAME: Id = Id::constant("hook");
const POLL: Duration = Duration::from_millis(20);

struct Receiver {
    child: Child,
    folder: TempDir,
    address: SocketAddr,
}

/// An address whose port nobody has. The system does not give it to a connection, for which it has those from 32,768
/// on, and other processes that look for one begin elsewhere.
fn free_address() -> SocketAddr {
    let first = std::process::id() * 8;
    let ports = (first..).map(|next| 10_000 + u16::try_from(next % 10_000).unwrap());
    let mut addresses = ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let free = addresses.find(|address| TcpListener::bind(address).is_ok());
    free.unwrap()
}

impl Receiver {
    async fn start(script: &str) -> Self {
        let address = free_address();
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("taken"), "").unwrap();
        let mut child = Command::new("python3")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server_receivers/receiver.py"))
            .args([&address.port().to_string(), SECRET])
            .arg(folder.path().join("taken"))
            .stdin(Stdio::piped())
            .spawn()
            .expect("run scripts/components install, which looks for python3");
        child
            .stdin
            .take()
            .unwrap()
            .write_all(script.as_bytes())
            .unwrap();
        let mut receiver = Self {
            child,
            folder,
            address,
        };
        while TcpStream::connect(address).await.is_err() {
            let ended = receiver.child.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "the receiver ended; run scripts/components install"
            );
            tokio::time::sleep(POLL).await;
        }
        receiver
    }

    fn taken(&self) -> Vec<u64> {
        let lines = fs::read_to_string(self.folder.path().join("taken")).unwrap();
        lines.lines().map(|line| line.parse().unwrap()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // It is gone already if a test made it end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// HTTP/1.1 over a connection for each request.
#[derive(Debug)]
struct Http;

#[async_trait]
impl Transport for Http {
    async fn request(
        &self,
        request: Request<Bytes>,
        limits: &RequestLimits,
    ) -> Result<Reply, TransportError> {
        let authority = request.uri().authority().unwrap();
        let address: IpAddr = authority.host().parse().unwrap();
        limits.addresses.check(&[address])?;
        let stream = TcpStream::connect((address, authority.port_u16().unwrap()));
        let mut stream = stream.await.map_err(TransportError::unreachable)?;
        let mut head = format!(
            "POST {} HTTP/1.1\r\nhost: {authority}\r\n",
            request.uri().path()
        );
        head += &format!("content-length: {}\r\n", request.body().len());
        for (name, value) in request.headers() {
            head += &format!("{name}: {}\r\n", value.to_str().unwrap());
        }
        let message = [format!("{head}\r\n").as_bytes(), request.body()].concat();
        stream
            .write_all(&message)
            .await
            .map_err(TransportError::unreachable)?;
        let mut line = [0; 12];
        let read = stream.read_exact(&mut line).await;
        read.map_err(TransportError::unreachable)?;
        let status = StatusCode::from_bytes(&line[9..]).map_err(TransportError::unreachable)?;
        Ok(Reply::new(status))
    }
}

async fn log(leaves: u64) -> MemoryStore {
    let (store, tenant) = (MemoryStore::new(), Id::constant("tenant-7"));
    let appending = store.lock(std::slice::from_ref(&tenant)).await.unwrap();
    let mut group = Group::new(appending.state());
    for n in 0..leaves {
        let actor = Actor::new(ActorType::System, Id::constant("writer"));
        let action = Action::new("lead.read");
        let event = EventBuilder::new(tenant.clone(), action, Activity::Read, actor);
        let time = Timestamp::from_unix_micros(1_767_225_600_000_000 + n).unwrap();
        let node = Id::constant("a");
        let stamp = Stamp::new(EventId::new(time, [7; 10]), time, Delivery::Must, node);
        group.push(&event.build(stamp).unwrap(), None).unwrap();
    }
    appending.commit(&group).await.unwrap();
    store
}

fn follower(store: &MemoryStore, receiver: &Receiver, addresses: AddressPolicy) -> Follower {
    let url = format!("http://{}/hook", receiver.address);
    let endpoint = Endpoint::dangerous_cleartext(&url).unwrap();
    let webhook = Webhook::new(endpoint, WebhookSecrets::new(SECRET.parse().unwrap()));
    let sink = WebhookSink::new(webhook, Arc::new(Http), addresses);
    Follower::new(
        NAME,
        Arc::new(store.clone()),
        Box::new(sink),
        Arc::new(SystemClock::new()),
        Arc::new(SystemEntropy::new()),
    )
}

fn local() -> AddressPolicy {
    AddressPolicy::public().allow("127.0.0.1/32".parse().unwrap())
}

#[tokio::test]
async fn what_a_receiver_failed_to_take_it_takes_later_and_in_order() {
    let store = log(4).await;
    // The first hangs for 15 seconds, and is tried again after 5. So is a redirect, which nobody follows.
    let receiver = Receiver::start("hang 204 302 204").await;
    let follower = follower(&store, &receiver, local());
    let status = follower.status();
    let running = tokio::spawn(follower.run());
    let done = async {
        while store.cursor(&NAME).await.unwrap() != Some(4) {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), done)
        .await
        .unwrap();
    running.abort();
    assert_eq!(receiver.taken(), [0, 1, 2, 3]);
    assert_eq!((status.failed(), status.delivered()), (2, 4));
}

#[tokio::test]
async fn a_receiver_that_says_410_is_asked_no_more() {
    let store = log(3).await;
    let receiver = Receiver::start("204 410").await;
    let end = follower(&store, &receiver, local()).run().await;
    assert!(matches!(end, FollowEnd::Gone), "{end:?}");
    assert_eq!(receiver.taken(), [0]);
}

#[tokio::test]
async fn an_address_that_is_not_listed_gets_nothing() {
    let store = log(1).await;
    let receiver = Receiver::start("").await;
    let follower = follower(&store, &receiver, AddressPolicy::public());
    let status = follower.status();
    let running = tokio::spawn(follower.run());
    let done = async {
        while status.failed() == 0 {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), done)
        .await
        .unwrap();
    running.abort();
    assert!(receiver.taken().is_empty());
}
