//! Who sends while something is wrong.

use std::{net::IpAddr, time::Duration};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::harness::{Server, page_view};

/// Somebody who sends, until it is dropped.
pub(super) struct Sender(JoinHandle<()>);

/// From how many addresses somebody tries keys: one is slowed.
const ADDRESSES: u8 = 200;

impl Sender {
    /// So many events a second, with this text as the key.
    pub(super) fn of_events(server: &Server, key: &str, a_second: u64) -> Self {
        let event = |id| page_view(format!("{id}-of-the-sender"));
        Self::start(server, key, a_second, one_client(), event)
    }

    /// So many events a second that the service rejects.
    pub(super) fn of_broken_events(server: &Server, key: &str, a_second: u64) -> Self {
        let event =
            |id| json!({ "id": format!("{id}"), "type": "page.viewed", "source": "s", "data": {} });
        Self::start(server, key, a_second, one_client(), event)
    }

    /// So many tries a second with a key that is none, from many addresses.
    pub(super) fn of_tries(server: &Server, key: &str, a_second: u64) -> Self {
        let clients = (1..=ADDRESSES).map(|number| {
            let address = IpAddr::from([127, 9, 9, number]);
            client().local_address(address).build().unwrap()
        });
        Self::start(server, key, a_second, clients.collect(), page_view)
    }

    fn start(
        server: &Server,
        key: &str,
        a_second: u64,
        clients: Vec<Client>,
        body: impl Fn(u64) -> Value + Send + 'static,
    ) -> Self {
        let (url, key) = (server.public_url("/v1/events"), key.to_owned());
        Self(tokio::spawn(async move {
            for (id, client) in (0_u64..).zip(clients.iter().cycle()) {
                let request = client.post(&url).bearer_auth(&key).json(&body(id));
                tokio::spawn(request.send());
                tokio::time::sleep(Duration::from_millis(1_000 / a_second)).await;
            }
        }))
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn client() -> reqwest::ClientBuilder {
    Client::builder().timeout(Duration::from_secs(3))
}

fn one_client() -> Vec<Client> {
    vec![client().build().unwrap()]
}
