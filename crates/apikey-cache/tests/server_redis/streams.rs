//! What becomes of a stream: trimmed, deleted, set back, written to by others.

use std::{sync::Arc, time::Duration};

use portcullis_apikey_cache::{
    bus::{BusError, InvalidationBus as _, Notice},
    clock::FakeClock,
    feed::{Change, ChangeKind, FeedId, FeedSeq, Invalidation},
};

use crate::{
    ends::{
        FEED, STREAM, all, builder, collect, end, end_by, eventually, peppers, watermark, works,
    },
    servers::Server,
};

/// An error that tells what is wrong with the stream.
fn malformed(next: Result<Vec<Notice>, BusError>) -> &'static str {
    match next {
        Err(BusError::Malformed(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_trimmed_before_it_was_heard_is_missed() {
    let server = Server::redis();
    let bus = end(&server.url());
    for left in ["0", "1"] {
        let mut listener = works(&bus).await;
        bus.tell(FEED, &[all(1), all(2)]).await.unwrap();
        server.cli(&["xtrim", STREAM, "maxlen", left]);
        let why = malformed(listener.next().await);
        assert!(why.contains("trimmed"), "{left}: {why}");
    }
    works(&bus).await;
}

#[tokio::test]
async fn what_is_trimmed_after_it_was_heard_is_not_missed() {
    let server = Server::redis();
    let bus = end(&server.url());
    let mut listener = works(&bus).await;
    bus.tell(FEED, &[all(1), all(2)]).await.unwrap();
    assert_eq!(collect(&mut listener, 2).await, [all(1), all(2)]);
    server.cli(&["xtrim", STREAM, "maxlen", "1"]);
    bus.tell(FEED, &[all(3)]).await.unwrap();
    assert_eq!(collect(&mut listener, 1).await, [all(3)]);
    server.cli(&["xtrim", STREAM, "maxlen", "0"]);
    assert_eq!(listener.next().await.unwrap(), []);
}

#[tokio::test]
async fn a_stream_that_is_gone_or_another_one_is_noticed() {
    let server = Server::redis();
    let bus = end(&server.url());
    for (commands, word) in [
        (&[&["del", STREAM][..]][..], "gone"),
        (&[&["flushall"]], "gone"),
        // As on a replica that had not seen the last ones.
        (
            &[&["del", STREAM], &["xadd", STREAM, "1-1", "a", "b"]],
            "older",
        ),
        (
            &[&["del", STREAM], &["xadd", STREAM, "*", "a", "b"]],
            "trimmed",
        ),
    ] {
        let mut listener = works(&bus).await;
        for command in commands {
            server.cli(command);
        }
        let why = malformed(listener.next().await);
        assert!(why.contains(word), "{commands:?}: {why}");
        server.cli(&["del", STREAM]);
    }
    let mut listener = works(&bus).await;
    server.cli(&["set", STREAM, "no stream"]);
    assert!(listener.next().await.is_err());
    assert!(bus.listen(FEED).await.is_err());
    let told = bus.tell(FEED, &[all(1)]).await;
    assert!(matches!(told, Err(BusError::Unavailable(_))), "{told:?}");
    server.cli(&["del", STREAM]);
    works(&bus).await;
}

#[tokio::test]
async fn a_stream_has_a_most_and_goes_away_when_nobody_uses_it() {
    let server = Server::redis();
    let bus = end(&server.url());
    let tenant = "t".repeat(128).parse().unwrap();
    let longest = Notice::Change(Change {
        seq: FeedSeq::new(u64::MAX),
        kind: ChangeKind::Invalidation(Invalidation::Tenant(tenant)),
    });
    let notices = vec![longest; 100];
    for _ in 0..100_000 / notices.len() {
        eventually("success", async || bus.tell(FEED, &notices).await.ok()).await;
    }
    let number = |arguments: &[&str]| server.cli(arguments).parse::<u64>().unwrap();
    let length = number(&["xlen", STREAM]);
    assert!((4_096..=4_300).contains(&length), "{length}");
    let bytes = number(&["memory", "usage", STREAM]);
    assert!(bytes < 2_000_000, "{bytes}");
    let left = number(&["pttl", STREAM]);
    assert!((3_000_000..=3_600_000).contains(&left), "{left}");
}

#[tokio::test]
async fn what_others_write_ends_listening_and_is_not_heard_by_who_listens_again() {
    let server = Server::redis();
    let (bus, other) = (
        end(&server.url()),
        builder(&server.url())
            .deadline(Duration::from_secs(20))
            .build(&peppers(2))
            .unwrap(),
    );
    for entry in [
        &["a", "b"][..],
        &["notice", "x"],
        &["notice", "x", "mac", "1:00"],
        &["notice", "\u{e9}", "mac", "\u{e9}"],
        &["mac", "1:00", "notice", "0 all 1", "notice", "0 all 2"],
    ] {
        let mut listener = works(&bus).await;
        server.cli(&[&["xadd", STREAM, "*"], entry].concat());
        malformed(listener.next().await);
    }
    let mut listener = works(&bus).await;
    other.tell(FEED, &[all(1)]).await.unwrap();
    malformed(listener.next().await);
    works(&bus).await;
}

/// Adds so many of one entry in one step, past the most that caches keep.
fn flood(server: &Server, count: u32, [notice, mac]: &[String; 2]) {
    const SCRIPT: &str = "for _ = 1, ARGV[1] do \
         redis.call('xadd', KEYS[1], '*', 'notice', ARGV[2], 'mac', ARGV[3]) end";
    server.cli(&["eval", SCRIPT, "1", STREAM, &count.to_string(), notice, mac]);
}

#[tokio::test]
async fn of_a_flood_a_little_is_read_and_nothing_is_heard() {
    let server = Server::redis();
    let bus = end(&server.url());
    let sent = || {
        let stats = server.cli(&["info", "stats"]);
        let sent = |line: &str| {
            line.trim()
                .strip_prefix("total_net_output_bytes:")?
                .parse()
                .ok()
        };
        stats.lines().find_map(sent).unwrap()
    };
    // Genuine ones, so that nothing but their number is wrong.
    let (why, _) = in_time(async || {
        let mut listener = works(&bus).await;
        flood(&server, 4_500, &last_entry(&server, STREAM));
        let next = listener.next().await;
        server.cli(&["del", STREAM]);
        (next, 0)
    })
    .await;
    assert!(why.contains("more"), "{why}");

    let large = ["x".repeat(2_000), "1:00".to_owned()];
    let (_, read) = in_time(async || {
        let mut listener = works(&bus).await;
        flood(&server, 20_000, &large);
        let before: u64 = sent();
        let next = listener.next().await;
        let read = sent() - before;
        server.cli(&["del", STREAM]);
        (next, read)
    })
    .await;
    // 40 MB are there.
    assert!(read < 12_000_000, "{read}");

    for large in [
        ["x".repeat(257), "1:00".to_owned()],
        ["x".to_owned(), "1:".repeat(129)],
    ] {
        let mut listener = works(&bus).await;
        add(&server, &large);
        let why = malformed(listener.next().await);
        assert!(why.contains("no MAC"), "{why}");
    }
    works(&bus).await;
}

/// Floods again if the machine is too slow to read what came of it within the time that an answer has.
async fn in_time(
    flooded: impl AsyncFn() -> (Result<Vec<Notice>, BusError>, u64),
) -> (&'static str, u64) {
    for _ in 0..5 {
        match flooded().await {
            (Err(BusError::Unavailable(_)), _) => {}
            (next, read) => return (malformed(next), read),
        }
    }
    panic!("no answer is read in time");
}

/// The values of the last entry.
fn last_entry(server: &Server, stream: &str) -> [String; 2] {
    let printed = server.cli(&["xrevrange", stream, "+", "-", "count", "1"]);
    let mut values = printed.lines().skip(2).step_by(2).map(str::to_owned);
    [values.next().unwrap(), values.next().unwrap()]
}

fn add(server: &Server, [notice, mac]: &[String; 2]) {
    server.cli(&["xadd", STREAM, "*", "notice", notice, "mac", mac]);
}

#[tokio::test]
async fn an_old_watermark_written_again_proves_nothing() {
    let server = Server::redis();
    let clock = Arc::new(FakeClock::default());
    let bus = end_by(&server.url(), &clock);
    let mut listener = works(&bus).await;
    bus.tell(FEED, &[watermark(17)]).await.unwrap();
    collect(&mut listener, 1).await;
    let entry = last_entry(&server, STREAM);

    let passed = Duration::from_secs(2);
    clock.advance(passed);
    add(&server, &entry);
    let heard = collect(&mut listener, 1).await;
    let [Notice::Watermark(again)] = &*heard else {
        panic!("{heard:?}");
    };
    assert!(again.age >= passed, "{again:?}");

    clock.advance(passed);
    add(&server, &entry);
    bus.tell(FEED, &[all(1)]).await.unwrap();
    assert_eq!(collect(&mut listener, 1).await, [all(1)]);
    clock.advance(Duration::from_secs(60));
    add(&server, &entry);
    malformed(listener.next().await);
}

#[tokio::test]
async fn what_was_told_of_another_feed_cannot_be_copied() {
    let server = Server::redis();
    let bus = end(&server.url());
    let mut listener = works(&bus).await;
    bus.tell(FeedId::new([1; 16]), &[watermark(17)])
        .await
        .unwrap();
    let other = STREAM.replace("fe", "01");
    add(&server, &last_entry(&server, &other));
    malformed(listener.next().await);
}
