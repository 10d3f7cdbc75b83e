//! What an attacker knows, and where it comes from.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpSocket, TcpStream};

use crate::harness::{Key, Server};

/// The two addresses that attacks come from. The others of these tests have 127.0.0.1.
pub(crate) const ADDRESSES: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)),
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3)),
];

/// The public listener, and a key of the free tier.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    address: SocketAddr,
    key: Key,
}

impl Target {
    pub(crate) fn new(server: &Server, key: &Key) -> Self {
        raise_open_files();
        Self {
            address: server.public_address().parse().unwrap(),
            key: key.clone(),
        }
    }

    /// A new connection from this address, unless it is refused.
    pub(crate) async fn connect(&self, from: IpAddr) -> Option<TcpStream> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(from, 0)).unwrap();
        socket.connect(self.address).await.ok()
    }

    /// The head of a request with events, whose body has `length` bytes.
    pub(crate) fn head(&self, length: usize) -> String {
        format!(
            "POST /v1/events HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n",
            self.address, self.key.text
        )
    }

    /// A client that keeps its connections, at this address.
    pub(crate) fn client(&self, from: IpAddr) -> reqwest::Client {
        let client = reqwest::Client::builder().local_address(from);
        client.build().unwrap()
    }

    /// A request with events.
    pub(crate) fn post(&self, client: &reqwest::Client, body: Vec<u8>) -> reqwest::RequestBuilder {
        client
            .post(format!("http://{}/v1/events", self.address))
            .bearer_auth(&self.key.text)
            .header("content-type", "application/json")
            .body(body)
    }
}

/// Lets this process have as many connections as it may.
fn raise_open_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
}
