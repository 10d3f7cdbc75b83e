//! A leaf, read back: exactly what [`Event::write_leaf`](super::Event::write_leaf) writes, and nothing else.

mod members;

use super::{
    Activity, ActorType, Commitment, Delivery, EventId, Items, LeafError, MAX_LEAF_BYTES,
    MAX_RESOURCES, Outcome, SpanId, Timestamp, TraceId,
    cursor::Cursor,
    leaf_lists::{event_id, field, resource},
};

/// The place of a leaf: a leaf that is withheld or moved is a gap in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_structs,
    reason = "version 1 of the leaf has these two, and who writes one gives both"
)]
pub struct LeafNumbers {
    /// `n`: its index in the tree, from 0.
    pub in_tree: u64,
    /// `tn`: its index among the leaves of its tenant, from 0.
    pub in_tenant: u64,
}

/// A leaf of version 1, read from its bytes without copying them.
///
/// One leaf has one spelling: what is read here is written again as the same bytes. Ids have their form; whether they
/// were screened, only their writer knows.
#[derive(Debug, Clone)]
pub struct Leaf<'a> {
    numbers: LeafNumbers,
    id: EventId,
    time: Timestamp,
    tenant: &'a str,
    action: &'a str,
    activity: Activity,
    actor_type: ActorType,
    actor_id: &'a str,
    grant: Option<&'a str>,
    resources: &'a str,
    count: u64,
    fields: &'a str,
    reason: Option<(&'a str, Option<&'a str>)>,
    outcome: Outcome,
    detail: Option<&'a str>,
    delivery: Delivery,
    refs: &'a str,
    trace: Option<TraceId>,
    span: Option<SpanId>,
    node: &'a str,
    personal: Option<Commitment>,
}

impl<'a> Leaf<'a> {
    /// Reads a leaf.
    ///
    /// # Errors
    /// [`LeafError`] names the byte where it stops to be one.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, LeafError> {
        let at_most = bytes.get(..MAX_LEAF_BYTES).unwrap_or(bytes);
        // What is no ASCII is no leaf, and is found where it stands.
        let ascii = if at_most.is_ascii() {
            at_most.len()
        } else {
            at_most.iter().take_while(|byte| byte.is_ascii()).count()
        };
        let text = str::from_utf8(&at_most[..ascii]).unwrap_or_default();
        let mut cursor = Cursor::new(text);
        let leaf = Self::read(&mut cursor)?;
        if !cursor.is_at_end() || text.len() != bytes.len() {
            return Err(cursor.wanted("its end"));
        }
        Ok(leaf)
    }

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, LeafError> {
        cursor.literal("{\"v\":1,\"n\":")?;
        let in_tree = cursor.number()?;
        cursor.literal(",\"tn\":")?;
        let in_tenant = cursor.number()?;
        cursor.literal(",\"id\":\"")?;
        let id = cursor.quoted("the id of an event", EventId::parse)?;
        cursor.literal(",\"time\":\"")?;
        let time = cursor.quoted("a time", Timestamp::parse)?;
        cursor.literal(",\"tenant\":\"")?;
        let tenant = cursor.id("the id of a tenant")?;
        cursor.literal(",\"action\":\"")?;
        let action = cursor.label("an action")?;
        cursor.literal(",\"activity\":\"")?;
        let activity = cursor.quoted("an activity", Activity::from_word)?;
        cursor.literal(",\"actor\":{\"type\":\"")?;
        let actor_type = cursor.quoted("a type of actor", ActorType::from_word)?;
        cursor.literal(",\"id\":\"")?;
        let actor_id = cursor.id("the id of an actor")?;
        let grant = optional(cursor, ",\"grant\":\"", |cursor| {
            cursor.id("the id of a grant")
        })?;
        cursor.literal("},\"resources\":[")?;
        let (resources, found) = list(cursor, |cursor| resource(cursor).map(drop))?;
        if found > MAX_RESOURCES {
            return Err(cursor.wanted("at most 128 resources"));
        }
        cursor.literal(",\"count\":")?;
        let count = cursor.number()?;
        cursor.literal(",\"fields\":[")?;
        let (fields, _) = list(cursor, |cursor| field(cursor).map(drop))?;
        let reason = optional(cursor, ",\"reason\":{\"code\":\"", |cursor| {
            let code = cursor.label("the code of a reason")?;
            let reference = optional(cursor, ",\"ref\":\"", |cursor| cursor.id("a reference"))?;
            cursor.literal("}")?;
            Ok((code, reference))
        })?;
        cursor.literal(",\"outcome\":\"")?;
        let outcome = cursor.quoted("an outcome", Outcome::from_word)?;
        let detail = match outcome {
            Outcome::Success => None,
            Outcome::Denied | Outcome::Failure | Outcome::Unknown => {
                cursor.literal(",\"detail\":\"")?;
                Some(cursor.label("the code of a detail")?)
            }
        };
        cursor.literal(",\"delivery\":\"")?;
        let delivery = cursor.quoted("a delivery", Delivery::from_word)?;
        let refs = optional(cursor, ",\"refs\":[", |cursor| {
            match list(cursor, |cursor| event_id(cursor).map(drop))? {
                // Without any, the member is left out.
                (_, 0) => Err(cursor.wanted("the id of an event")),
                (refs, _) => Ok(refs),
            }
        })?;
        let trace = optional(cursor, ",\"trace\":\"", |cursor| {
            cursor.quoted("the id of a trace", TraceId::parse)
        })?;
        let span = optional(cursor, ",\"span\":\"", |cursor| {
            cursor.quoted("the id of a span", SpanId::parse)
        })?;
        cursor.literal(",\"node\":\"")?;
        let node = cursor.id("the id of a node")?;
        let personal = optional(cursor, ",\"personal\":\"", |cursor| {
            cursor.quoted("a commitment", Commitment::parse)
        })?;
        cursor.literal("}")?;
        Ok(Self {
            numbers: LeafNumbers { in_tree, in_tenant },
            id,
            time,
            tenant,
            action,
            activity,
            actor_type,
            actor_id,
            grant,
            resources,
            count,
            fields,
            reason,
            outcome,
            detail,
            delivery,
            refs: refs.unwrap_or_default(),
            trace,
            span,
            node,
            personal,
        })
    }
}

fn optional<'a, T>(
    cursor: &mut Cursor<'a>,
    name: &str,
    read: impl FnOnce(&mut Cursor<'a>) -> Result<T, LeafError>,
) -> Result<Option<T>, LeafError> {
    if cursor.skip(name) {
        read(cursor).map(Some)
    } else {
        Ok(None)
    }
}

/// The text of a list with its closing bracket, and the number of its items.
fn list<'a>(
    cursor: &mut Cursor<'a>,
    item: impl FnMut(&mut Cursor<'a>) -> Result<(), LeafError>,
) -> Result<(&'a str, usize), LeafError> {
    let start = cursor.at();
    let count = cursor.list(item)?;
    Ok((cursor.since(start), count))
}
