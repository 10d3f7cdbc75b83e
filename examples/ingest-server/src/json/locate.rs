//! Where a member stands in a text that was read before.

use jiter::{Jiter, JiterResult};

/// The line, from 1, on which the value of the member at `path` begins: of the object that the text
/// is, of the object there, and so on. If there is none, the line of what was found on the way.
pub(crate) fn line_of(text: &[u8], path: &[String]) -> usize {
    let mut json = Jiter::new(text);
    let mut offset = 0;
    for name in path {
        match enter(&mut json, name) {
            Ok(true) => offset = json.current_index(),
            Ok(false) | Err(_) => break,
        }
    }
    1 + text[..offset].iter().filter(|byte| **byte == b'\n').count()
}

/// Goes on to the value of a member of the object that comes next.
fn enter(json: &mut Jiter<'_>, name: &str) -> JiterResult<bool> {
    let mut next = json.next_object()?.map(|found| found == name);
    while let Some(is_it) = next {
        json.peek()?;
        if is_it {
            return Ok(true);
        }
        json.next_skip()?;
        next = json.next_key()?.map(|found| found == name);
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_on_its_line() {
        let text = b"{\n \"a\": {\"x\": [1,\n2]},\n \"b\":\n {\n  \"a\": \"x\",\n  \"c\": 1\n }\n}";
        for (path, line) in [
            (&[][..], 1),
            (&["a"], 2),
            (&["a", "x"], 2),
            (&["b"], 5),
            (&["b", "a"], 6),
            (&["b", "c"], 7),
            (&["b", "d"], 5),
            (&["a", "x", "y"], 2),
            (&["d"], 1),
        ] {
            let path: Vec<String> = path.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(line_of(text, &path), line, "{path:?}");
        }
    }
}
