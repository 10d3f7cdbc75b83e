//! Servers and networks that fail: nobody waits for them, and everything works again by itself.

use std::{
    error::Error,
    future::pending,
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use portcullis_apikey_cache::bus::{
    BusError, BusListener, InvalidationBus as _, RedisBus, RedisMode,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::timeout,
};

use crate::{
    ends::{FEED, STREAM, all, eventually, hasty_end, peppers, works},
    proxy::Proxy,
    servers::Server,
};

/// What the trait promises.
const LONGEST_TELL: Duration = Duration::from_millis(100);

/// What the bus takes of it.
const DEADLINE: Duration = Duration::from_millis(75);

/// Tells beside deadlines of the same length and more that nothing meets, so that what the machine is slow at counts
/// for them too, also when it stops between two of them.
async fn tell_in_time(bus: &RedisBus) -> Result<(), BusError> {
    let started = Instant::now();
    let telling = async {
        let told = bus.tell(FEED, &[all(1)]).await;
        (told, started.elapsed())
    };
    let late = async |after| {
        drop(timeout(after, pending::<()>()).await);
        started.elapsed().saturating_sub(after)
    };
    let later = DEADLINE + Duration::from_millis(10);
    let ((told, elapsed), first, second) = tokio::join!(telling, late(DEADLINE), late(later));
    let late = first.max(second);
    assert!(elapsed <= LONGEST_TELL + late, "{elapsed:?}, {late:?} late");
    told
}

/// The first to tell may wait; those after it do not.
async fn fails_at_once(bus: &RedisBus) {
    let failed = tell_in_time(bus).await;
    assert!(
        matches!(failed, Err(BusError::Unavailable(_))),
        "{failed:?}"
    );
    for _ in 0..20 {
        let failed = bus.tell(FEED, &[all(1)]).now_or_never();
        assert!(
            matches!(failed, Some(Err(BusError::Unavailable(_)))),
            "{failed:?}"
        );
    }
}

async fn listening_ends(listener: &mut Box<dyn BusListener>) {
    let ended = timeout(Duration::from_secs(20), async {
        while listener.next().await.is_ok() {}
    });
    ended.await.expect("listening goes on");
}

#[tokio::test]
async fn nobody_waits_for_a_network_that_delivers_nothing() {
    let server = Server::redis();
    let proxy = Proxy::before(server.port()).await;
    let bus = hasty_end(&proxy.url());
    let mut listener = works(&bus).await;
    proxy.delivers(false);
    fails_at_once(&bus).await;
    listening_ends(&mut listener).await;
    // By now others have been tried.
    fails_at_once(&bus).await;
    assert!(bus.listen(FEED).await.is_err());
    proxy.delivers(true);
    works(&bus).await;
}

#[tokio::test]
async fn nobody_waits_for_a_server_that_stands_still() {
    let server = Server::redis();
    let bus = hasty_end(&server.url());
    let mut listener = works(&bus).await;
    server.signal("-STOP");
    fails_at_once(&bus).await;
    listening_ends(&mut listener).await;
    fails_at_once(&bus).await;
    server.signal("-CONT");
    works(&bus).await;
}

#[tokio::test]
async fn a_server_that_is_killed_and_started_again_without_its_data_is_used_again() {
    let mut server = Server::redis();
    let bus = hasty_end(&server.url());
    let mut listener = works(&bus).await;
    server.kill();
    fails_at_once(&bus).await;
    listening_ends(&mut listener).await;
    server.restart();
    assert_eq!(server.cli(&["dbsize"]), "0");
    works(&bus).await;
}

#[tokio::test]
async fn a_bus_is_built_before_its_server_is_up() {
    let mut server = Server::redis();
    server.kill();
    let bus = hasty_end(&server.url());
    fails_at_once(&bus).await;
    assert!(bus.listen(FEED).await.is_err());
    server.restart();
    works(&bus).await;
}

#[tokio::test]
async fn a_listener_whose_connection_is_closed_says_so_and_another_one_works() {
    let server = Server::redis();
    let bus = hasty_end(&server.url());
    let mut listener = works(&bus).await;
    let closed = async {
        let is_listener = |client: &&str| client.contains("cmd=xread");
        let id = eventually("the listener's connection", async || {
            let clients = server.cli(&["client", "list"]);
            let client = clients.lines().find(is_listener)?;
            let id = client.split(' ').next()?;
            Some(id.trim_start_matches("id=").to_owned())
        });
        let closed = server.cli(&["client", "kill", "id", &id.await]);
        assert_eq!(closed, "1");
    };
    let (next, ()) = tokio::join!(
        async {
            loop {
                if let Err(error) = listener.next().await {
                    return error;
                }
            }
        },
        closed
    );
    assert!(matches!(next, BusError::Unavailable(_)), "{next:?}");
    works(&bus).await;
}

#[tokio::test]
async fn what_tells_is_connected_again_when_its_connection_is_closed() {
    let server = Server::redis();
    let bus = hasty_end(&server.url());
    for _ in 0..3 {
        works(&bus).await;
        let closed = server.cli(&["client", "kill", "type", "normal", "skipme", "yes"]);
        assert_ne!(closed, "0");
    }
}

#[tokio::test]
async fn a_bus_outlives_the_runtime_that_it_connected_on() {
    let server = Server::redis();
    let bus = std::sync::Arc::new(hasty_end(&server.url()));
    for _ in 0..3 {
        let bus = bus.clone();
        let on_a_runtime_of_its_own = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(works(&bus));
        };
        let ended = tokio::task::spawn_blocking(on_a_runtime_of_its_own);
        ended.await.unwrap();
    }
}

/// An error and what caused it, as a log would show them.
fn shown(error: &BusError) -> String {
    let mut shown = format!("{error:?}");
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        shown.push_str(&format!(": {error}"));
        next = error.source();
    }
    shown
}

async fn both_failures(bus: &RedisBus) -> [String; 2] {
    let told = eventually("failure", async || bus.tell(FEED, &[all(1)]).await.err());
    let told = shown(&told.await);
    let listening = bus.listen(FEED).await.map(drop);
    [told, shown(&listening.unwrap_err())]
}

#[tokio::test]
async fn a_password_that_is_refused_is_not_shown() {
    let server = Server::redis_with(&["--requirepass", "right"]);
    let url = format!("redis://someone:hunter2@127.0.0.1:{}", server.port());
    for failure in both_failures(&hasty_end(&url)).await {
        for secret in ["hunter2", "someone"] {
            assert!(!failure.contains(secret), "{failure}");
        }
    }
    works(&hasty_end(&server.url().replace("//", "//:right@"))).await;
}

#[tokio::test]
async fn a_password_that_a_server_repeats_is_not_shown() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut bytes = vec![0; 65_536];
                while let Ok(length @ 1..) = stream.read(&mut bytes).await {
                    let asked = String::from_utf8_lossy(&bytes[..length]);
                    let words: Vec<&str> = asked
                        .lines()
                        .filter(|line| !line.starts_with(['*', '$']))
                        .collect();
                    let answer = format!("-ERR unknown command {words:?}\r\n").repeat(words.len());
                    drop(stream.write_all(answer.as_bytes()).await);
                }
            });
        }
    });
    let bus = hasty_end(&format!("redis://someone:hunter2@{address}"));
    for failure in both_failures(&bus).await {
        for secret in ["hunter2", "someone"] {
            assert!(!failure.contains(secret), "{failure}");
        }
    }
}

#[tokio::test]
async fn a_stream_whose_slot_moves_to_another_node_is_found_again() {
    let nodes = Server::cluster();
    let bus = RedisBus::builder([nodes[0].url()]).unwrap();
    let bus = bus.mode(RedisMode::Cluster).build(&peppers(1)).unwrap();
    let mut listener = works(&bus).await;

    let slot = nodes[0].cli(&["cluster", "keyslot", STREAM]);
    let has_it = |node: &&Server| node.cli(&["cluster", "countkeysinslot", &slot]) == "1";
    let from = nodes.iter().find(has_it).unwrap();
    let to = nodes.iter().find(|node| node.port() != from.port());
    let to = to.unwrap();
    let (from_id, to_id) = (from.cli(&["cluster", "myid"]), to.cli(&["cluster", "myid"]));
    to.cli(&["cluster", "setslot", &slot, "importing", &from_id]);
    from.cli(&["cluster", "setslot", &slot, "migrating", &to_id]);
    let port = to.port().to_string();
    from.cli(&["migrate", "127.0.0.1", &port, STREAM, "0", "5000"]);
    for node in [to, from] {
        node.cli(&["cluster", "setslot", &slot, "node", &to_id]);
    }
    listening_ends(&mut listener).await;
    works(&bus).await;
    assert!(has_it(&to));
}
