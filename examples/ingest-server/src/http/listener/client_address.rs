//! Who is at the other end: the peer of the connection, or whom a trusted proxy names.

use std::{net::IpAddr, sync::Arc};

use http::Request;
use portcullis_ratelimit::address::TrustedProxies;

use crate::pipeline::ClientAddress;

/// The other end of one connection.
#[derive(Debug, Clone)]
pub(super) struct Client {
    peer: IpAddr,
    proxies: Arc<TrustedProxies>,
}

impl Client {
    pub(super) const fn new(peer: IpAddr, proxies: Arc<TrustedProxies>) -> Self {
        Self { peer, proxies }
    }

    /// Tells the request where it comes from.
    pub(super) fn note<B>(&self, request: &mut Request<B>) {
        let address = self.proxies.client_address_in(self.peer, request.headers());
        request.extensions_mut().insert(ClientAddress(address));
    }
}
