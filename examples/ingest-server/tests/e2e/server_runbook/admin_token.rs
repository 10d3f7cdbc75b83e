//! "Rotate the admin token".

use reqwest::{Client, StatusCode};

use super::{host::Host, steps, traffic::Fleet};
use crate::harness::{Server, wait_for};

const SECTION: &str = "Rotate the admin token";
const TAKEN: &str = "other secrets are in use from now on";

async fn status(server: &Server, token: &str) -> StatusCode {
    let url = format!("http://{}/admin/limits", server.admin_address());
    let request = Client::new().get(url).bearer_auth(token.trim());
    request.send().await.unwrap().status()
}

/// Running servers have taken over another one so often, and refuse the one before.
async fn replaced(fleet: &Fleet, times: usize, old: &str, new: &str) {
    for server in &fleet.servers {
        // Asking with a wrong one again and again would be slowed down.
        wait_for("the new token", async || {
            let taken = server.logs().matches(TAKEN).count();
            (taken >= times).then_some(())
        })
        .await;
        assert_eq!(status(server, new).await, StatusCode::OK);
        assert_eq!(status(server, old).await, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn the_admin_token_is_replaced() {
    assert_eq!(steps::count(SECTION), 1);
    let host = Host::new();
    let mut fleet = Fleet::start(&host).await;
    let first = host.read("admin-token");

    // It stops half way: what stands in the file is good, without a restart.
    host.configure("canary = 1");
    host.fail(SECTION, 1);
    let second = host.read("admin-token");
    replaced(&fleet, 1, &first, &second).await;

    // Run again, it makes another one.
    host.configure("");
    host.follow(SECTION, 1);
    let third = host.read("admin-token");
    replaced(&fleet, 2, &second, &third).await;
    fleet.restart(&host).await;
    for server in &fleet.servers {
        assert_eq!(status(server, &third).await, StatusCode::OK);
        assert_eq!(status(server, &first).await, StatusCode::UNAUTHORIZED);
    }
    fleet.end(&host, 0).await;
}
