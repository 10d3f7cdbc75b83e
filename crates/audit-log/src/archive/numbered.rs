//! Objects that are known by numbers, of which the largest is found without a list of all.

use object_store::{Error, ObjectStore, path::Path};

/// Where such objects are, and in how many levels of folders.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers {
    pub(crate) under: &'static str,
    pub(crate) depth: usize,
}

/// The groups of digits that a size has: 2^63 has 19 digits.
pub(crate) const SIZE_GROUPS: usize = 7;

/// A size as 21 digits in groups of three: a folder has at most 1,000 names, which is one page of a list.
pub(crate) fn name_of(size: u64) -> String {
    let digits = format!("{size:0width$}", width = 3 * SIZE_GROUPS);
    let groups = digits.as_bytes().chunks(3).map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join("/")
}

/// The object with the largest number, `depth` levels below `under`. Folders in which there is none are passed over.
pub(crate) async fn largest(
    store: &dyn ObjectStore,
    under: &Path,
    depth: usize,
) -> Result<Option<Path>, Error> {
    let mut open = vec![(under.clone(), depth)];
    while let Some((at, depth)) = open.pop() {
        if depth == 0 {
            return Ok(Some(at));
        }
        let listed = store.list_with_delimiter(Some(&at)).await?;
        let mut within = if depth > 1 {
            listed.common_prefixes
        } else {
            listed
                .objects
                .into_iter()
                .map(|object| object.location)
                .collect()
        };
        within.retain(is_number);
        // All have the same length, so that the order of texts is that of numbers. The last is looked at first.
        within.sort_unstable();
        open.extend(within.into_iter().map(|path| (path, depth - 1)));
    }
    Ok(None)
}

fn is_number(path: &Path) -> bool {
    let name = path.filename().unwrap_or_default();
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}
