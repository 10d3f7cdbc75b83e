//! A second writer of leaves, for comparison: from what was read, by formatting.

use crate::event::Leaf;

pub(super) fn respell(leaf: &Leaf<'_>) -> String {
    let quoted = |name: &str, value: Option<String>| {
        value.map_or_else(String::new, |value| format!(",\"{name}\":\"{value}\""))
    };
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let resources: Vec<_> = leaf
        .resources()
        .map(|(kind, id)| format!("{{\"type\":\"{kind}\",\"id\":\"{id}\"}}"))
        .collect();
    let fields: Vec<_> = leaf.fields().map(|field| format!("\"{field}\"")).collect();
    let refs: Vec<_> = leaf.refs().map(|id| format!("\"{id}\"")).collect();
    let numbers = leaf.numbers();
    let mut text = format!(
        "{{\"v\":1,\"n\":{},\"tn\":{},\"id\":\"{}\",\"time\":\"{}\",\"tenant\":\"{}\",\"action\":\"{}\",\"activity\":\"{}\"",
        numbers.in_tree,
        numbers.in_tenant,
        leaf.id(),
        leaf.time(),
        leaf.tenant(),
        leaf.action(),
        leaf.activity(),
    );
    text += &format!(
        ",\"actor\":{{\"type\":\"{}\",\"id\":\"{}\"",
        leaf.actor_type(),
        leaf.actor_id()
    );
    text += &quoted("grant", owned(leaf.grant()));
    text += &format!(
        "}},\"resources\":[{}],\"count\":{}",
        resources.join(","),
        leaf.count()
    );
    text += &format!(",\"fields\":[{}]", fields.join(","));
    if let Some(code) = leaf.reason_code() {
        text += &format!(",\"reason\":{{\"code\":\"{code}\"");
        text += &quoted("ref", owned(leaf.reason_reference()));
        text += "}";
    }
    text += &quoted("outcome", Some(leaf.outcome().to_string()));
    text += &quoted("detail", owned(leaf.detail()));
    text += &quoted("delivery", Some(leaf.delivery().to_string()));
    if !refs.is_empty() {
        text += &format!(",\"refs\":[{}]", refs.join(","));
    }
    text += &quoted("trace", leaf.trace().map(|id| id.to_string()));
    text += &quoted("span", leaf.span().map(|id| id.to_string()));
    text += &quoted("node", owned(Some(leaf.node())));
    text += &quoted("personal", leaf.personal().map(|id| id.to_string()));
    text + "}"
}
