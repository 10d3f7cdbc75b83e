//! How long is read for a page.

use std::{sync::Arc, time::Duration};

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};
use tempfile::TempDir;

use super::*;
use crate::{
    clock::SlowClock,
    event::{
        Action, Activity, Actor, ActorType, Delivery, EventBuilder, EventId, Id, Stamp, Timestamp,
    },
    search::{PageSize, TermKind},
    store::{Group, SqliteStore, Store as _},
};

/// Three full groups of one tenant.
async fn fill(store: &SqliteStore) {
    let tenant = Id::constant("tenant-7");
    for first in [0, 2_048, 4_096] {
        let taken = store.lock(std::slice::from_ref(&tenant)).await.unwrap();
        let mut group = Group::new(taken.state());
        for n in first..first + 2_048 {
            let actor = Actor::new(ActorType::System, Id::constant("a"));
            let action = Action::new("lead.read");
            let draft = EventBuilder::new(tenant.clone(), action, Activity::Read, actor);
            let time = Timestamp::from_unix_micros(1_767_323_045_000_000 + n).unwrap();
            let mut random = [0; 10];
            random[2..].copy_from_slice(&n.to_be_bytes());
            let id = EventId::new(time, random);
            let stamp = Stamp::new(id, time, Delivery::Must, Id::constant("a"));
            group.push(&draft.build(stamp).unwrap(), None).unwrap();
        }
        taken.commit(&group).await.unwrap();
    }
}

#[tokio::test]
async fn a_page_is_looked_for_for_250_ms_and_says_where_it_stopped() {
    let folder = TempDir::new().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("audit.db"))
        .create_if_missing(true)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON");
    let pool = SqlitePoolOptions::new().connect_lazy_with(options);
    let store = SqliteStore::new(pool.clone());
    store.migrate().await.unwrap();
    fill(&store).await;
    let filter = Filter::new().with(TermKind::Outcome, "denied").unwrap();
    // It looks at the time when it begins, and once it has looked through 4,096 leaves.
    for (step, next) in [(250, Some(2_048)), (249, None)] {
        let clock = Arc::new(SlowClock::new(Duration::from_millis(step)));
        let pool = pool.clone();
        let tables = Tables { pool, clock };
        let query = Query::new(filter.clone(), PageSize::default());
        let page = tables.search(&query).await.unwrap();
        assert_eq!(page.next.map(|next| next.before()), next, "{step}");
        assert_eq!(page.is_complete, next.is_none());
        assert!(page.events.is_empty());
        let Some(cursor) = page.next else {
            continue;
        };
        let page = tables.search(&query.after(cursor)).await.unwrap();
        assert!(page.is_complete && page.next.is_none() && page.events.is_empty());
    }
}
