//! JSON pointers (RFC 6901), made step by step.

use std::borrow::Cow;

/// The name of a member as it stands in a pointer.
pub(crate) fn escaped(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) {
        Cow::Owned(name.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_escaped_name_leads_to_its_member() {
        for name in ["", "a", "a/b", "~", "~1", "/~0", "é", "0"] {
            let data = json!({ name: 7 });
            let pointer = format!("/{}", escaped(name));
            assert_eq!(data.pointer(&pointer), Some(&json!(7)), "{pointer}");
        }
        assert!(matches!(escaped("plain"), Cow::Borrowed(_)));
    }
}
