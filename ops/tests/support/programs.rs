//! What tests need of programs that listen.

use std::{
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

const DEADLINE: Duration = Duration::from_secs(30);

/// An address whose port nobody has. The system does not give it to a connection, for which it has those from
/// 32,768 on, and other processes that look for one begin elsewhere.
pub(crate) fn free_address() -> String {
    let first = std::process::id() * 8;
    let mut addresses = (first..).map(|next| format!("127.0.0.1:{}", 10_000 + next % 10_000));
    let free = addresses.find(|address| TcpListener::bind(address).is_ok());
    free.unwrap()
}

/// Asks until there is something.
pub(crate) fn wait_for<T>(what: &str, mut met: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = met() {
            return found;
        }
        assert!(began.elapsed() < DEADLINE, "{what} did not come");
        thread::sleep(Duration::from_millis(50));
    }
}
