//! People who become leads, and what was last acknowledged of each.

use std::{
    ops::RangeInclusive,
    sync::{
        Arc, OnceLock, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::{Value, json};

/// Somebody, whose every value follows from the number and a version that goes up with each write.
#[derive(Debug, Default)]
pub(super) struct Person {
    pub(super) number: u64,
    id: OnceLock<String>,
    sent: AtomicU64,
    acknowledged: AtomicU64,
    /// Held by who writes.
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl Person {
    pub(super) fn new(number: u64) -> Self {
        Self {
            number,
            ..Self::default()
        }
    }

    pub(super) fn email(&self) -> String {
        format!("person{}@load.example", self.number)
    }

    /// The word of the name that nobody else has.
    pub(super) fn word(&self) -> String {
        // Both are odd and no multiples of 13: each number has letters of its own, unlike those beside it.
        let mut number = (self.number * 98_765_431 + 12_345) % 26_u64.pow(6);
        let mut word = String::from("q");
        for _ in 0..6 {
            word.push(char::from(b'a' + u8::try_from(number % 26).unwrap()));
            number /= 26;
        }
        word
    }

    /// Each fifth version has none.
    fn name(&self, version: u64) -> Option<String> {
        (version % 5 != 4).then(|| format!("{} V{}x", self.word(), version))
    }

    /// One of eight, which nobody else has.
    pub(super) fn phone(&self, version: u64) -> String {
        format!("+1212{}", 2_000_000 + self.number * 8 + version % 8)
    }

    /// What is written of a version; null clears.
    pub(super) fn values(&self, version: u64) -> Value {
        json!({ "phone": self.phone(version), "name": self.name(version) })
    }

    /// The whole of them, which makes a lead.
    pub(super) fn first_values(&self) -> Value {
        let mut values = self.values(0);
        values["email"] = self.email().into();
        values
    }

    pub(super) fn first_event(&self) -> Value {
        let id = format!("first-{}", self.number);
        json!({
            "type": "lead.created", "source": "load/crm", "id": id, "data": self.first_values(),
        })
    }

    /// An event that writes a version.
    pub(super) fn event(&self, version: u64) -> Value {
        let mut data = self.values(version);
        data["lead"] = self.id().into();
        let id = format!("update-{}-{version}", self.number);
        json!({ "type": "lead.updated", "source": "load/crm", "id": id, "data": data })
    }

    pub(super) fn id(&self) -> &str {
        self.id.get().unwrap()
    }

    pub(super) fn got_id(&self, id: &str) -> bool {
        self.id.get_or_init(|| id.to_owned()) == id
    }

    /// Notes that the next version is about to be sent.
    pub(super) fn send_next(&self) -> u64 {
        self.sent.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(super) fn acknowledge(&self, version: u64) {
        self.acknowledged.store(version, Ordering::SeqCst);
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// Whether a lead is this person as of one of these versions.
    pub(super) fn is(&self, lead: &Value, versions: RangeInclusive<u64>) -> bool {
        let mut versions = versions;
        lead["id"] == self.id()
            && lead["email"] == self.email()
            && versions.any(|version| {
                lead["phone"] == self.phone(version) && lead["name"] == json!(self.name(version))
            })
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct People {
    all: RwLock<Vec<Arc<Person>>>,
}

impl People {
    pub(super) fn add(&self, number: u64) -> Arc<Person> {
        let person = Arc::new(Person::new(number));
        self.all.write().unwrap().push(Arc::clone(&person));
        person
    }

    /// Leaves the first ones to others.
    pub(super) fn remove(&self, first: usize) -> Vec<Arc<Person>> {
        self.all.write().unwrap().drain(..first).collect()
    }

    /// Those who are there now.
    pub(super) fn all(&self) -> Vec<Arc<Person>> {
        self.all.read().unwrap().clone()
    }

    /// One of them, whichever number this is.
    pub(super) fn any(&self, number: usize) -> Arc<Person> {
        let all = self.all.read().unwrap();
        Arc::clone(&all[number % all.len()])
    }
}
