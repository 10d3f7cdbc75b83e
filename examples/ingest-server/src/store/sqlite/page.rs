//! A page of the file, as far as it says which of its bytes nobody reads: see
//! <https://www.sqlite.org/fileformat2.html#b_tree_pages>.

use std::ops::Range;

/// Where the header of a page is that has the header of the file before it.
const FIRST_HEADER: usize = 100;

/// Kinds of pages of a tree: those with children, which have four more bytes in their header, and leaves.
const INNER: [u8; 2] = [2, 5];
const LEAF: [u8; 2] = [10, 13];
const LEAF_HEADER: usize = 8;
const INNER_HEADER: usize = 12;

/// What a free block says of itself: where the next one is, and how long it is.
const FREE_BLOCK: usize = 4;

/// What is known of a file beside its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// How many there are.
    pub(super) pages: u32,
    /// Whether some of them say of others who refers to them (`auto_vacuum`, which this service never sets).
    pub(super) has_pointer_maps: bool,
}

/// In a pointer map, a page takes so many bytes.
const POINTER: usize = 5;

/// The page with this byte of the file is never used.
const LOCK_BYTE: u64 = 1 << 30;

impl Layout {
    /// Zeroes what nothing on a page of a tree refers to; whether anything else stood there. SQLite zeroes the rows
    /// that it deletes (`secure_delete`), and not those that it moves to another page when it fills or empties one:
    /// what it leaves of them stands between the pointers to cells and the cells.
    ///
    /// Pages of another kind begin with the number of a page, or map pointers, and are left as they are. Of a file
    /// of which that number may begin with the kind of a tree, from 128 GiB, so are those of that kind.
    pub(super) fn clear_unused(self, page: &mut [u8], number: u32) -> bool {
        if self.is_pointer_map(page, number) {
            return false;
        }
        clear_unused(page, number, self.pages)
    }

    /// The second page, and one behind as many pages as it has room for, and so on.
    fn is_pointer_map(self, page: &[u8], number: u32) -> bool {
        if !self.has_pointer_maps || number < 2 {
            return false;
        }
        // What is reserved at the end of each page is not counted, so that one is taken for a map rather than not.
        let of_map = (page.len() / POINTER + 1) as u64;
        let lock_page = LOCK_BYTE / page.len() as u64 + 1;
        let place = (u64::from(number) - 2) % of_map;
        place == 0 || (place == 1 && u64::from(number) - 1 == lock_page)
    }
}

fn clear_unused(page: &mut [u8], number: u32, pages: u32) -> bool {
    let Some(unused) = unused(page, number, pages) else {
        return false;
    };
    let mut is_changed = false;
    for range in unused {
        // It is within the page: `unused` has read it there.
        let bytes = page.get_mut(range).unwrap_or_default();
        if bytes.iter().any(|byte| *byte != 0) {
            bytes.fill(0);
            is_changed = true;
        }
    }
    is_changed
}

/// The ranges of a page of a tree that nothing refers to; none of a page that is not one, or is damaged.
fn unused(page: &[u8], number: u32, pages: u32) -> Option<Vec<Range<usize>>> {
    let header = if number == 1 { FIRST_HEADER } else { 0 };
    let kind = *page.get(header)?;
    let header_length = if INNER.contains(&kind) {
        INNER_HEADER
    } else if LEAF.contains(&kind) {
        LEAF_HEADER
    } else {
        return None;
    };
    if number != 1 && u32::from(kind) <= pages >> 24 {
        return None;
    }
    let cells = usize::from(two_bytes(page, header + 3)?);
    let pointers = header + header_length;
    let pointers_end = pointers + 2 * cells;
    let content = match two_bytes(page, header + 5)? {
        0 => 1 << 16,
        content => usize::from(content),
    };
    if content < pointers_end || content > page.len() {
        return None;
    }
    for cell in 0..cells {
        if usize::from(two_bytes(page, pointers + 2 * cell)?) < content {
            return None;
        }
    }
    let mut unused = Vec::new();
    unused.push(pointers_end..content);
    let mut block = usize::from(two_bytes(page, header + 1)?);
    let mut behind = content;
    while block != 0 {
        let end = block + usize::from(two_bytes(page, block + 2)?);
        if block < behind || end < block + FREE_BLOCK || end > page.len() {
            return None;
        }
        unused.push(block + FREE_BLOCK..end);
        behind = end;
        block = usize::from(two_bytes(page, block)?);
    }
    Some(unused)
}

fn two_bytes(page: &[u8], at: usize) -> Option<u16> {
    let bytes = page.get(at..at + 2)?;
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 512;

    /// A leaf of a table with one cell of 12 bytes at its end and a free block of 20 before that, all of whose
    /// other bytes are 7.
    fn leaf(header: usize) -> Vec<u8> {
        let mut page = vec![7; SIZE];
        let (block, cell) = (480_u16, 500_u16);
        page[header] = 13;
        page[header + 1..header + 3].copy_from_slice(&block.to_be_bytes());
        page[header + 3..header + 5].copy_from_slice(&1_u16.to_be_bytes());
        page[header + 5..header + 7].copy_from_slice(&block.to_be_bytes());
        page[header + 8..header + 10].copy_from_slice(&cell.to_be_bytes());
        page[480..484].copy_from_slice(&[0, 0, 0, 20]);
        page
    }

    #[test]
    fn what_nothing_refers_to_is_zeroed_and_nothing_else_is() {
        for (number, header) in [(1, FIRST_HEADER), (2, 0)] {
            let before = leaf(header);
            let mut page = before.clone();
            assert!(clear_unused(&mut page, number, 9));
            let mut expected = before;
            expected[header + 10..480].fill(0);
            expected[484..500].fill(0);
            assert_eq!(page, expected);
            assert!(!clear_unused(&mut page, number, 9), "nothing is left");
            assert_eq!(page, expected);
        }
    }

    #[test]
    fn a_page_with_children_has_a_longer_header() {
        let mut page = leaf(0);
        page[0] = 5;
        page[12..14].copy_from_slice(&500_u16.to_be_bytes());
        assert!(clear_unused(&mut page, 2, 9));
        assert_eq!(page[8..12], [1, 244, 7, 7], "the last child");
        assert_eq!(page[14..480], [0; 466]);
    }

    #[test]
    fn what_is_no_page_of_a_tree_stays() {
        let zeroes = vec![0; SIZE];
        let mut overflow = leaf(0);
        overflow[0] = 0;
        let too_many_cells = {
            let mut page = leaf(0);
            page[3..5].copy_from_slice(&300_u16.to_be_bytes());
            page
        };
        let cell_before_content = {
            let mut page = leaf(0);
            page[8..10].copy_from_slice(&470_u16.to_be_bytes());
            page
        };
        let block_outside = {
            let mut page = leaf(0);
            page[482..484].copy_from_slice(&40_u16.to_be_bytes());
            page
        };
        let block_in_itself = {
            let mut page = leaf(0);
            page[480..482].copy_from_slice(&480_u16.to_be_bytes());
            page
        };
        for page in [
            zeroes,
            overflow,
            too_many_cells,
            cell_before_content,
            block_outside,
            block_in_itself,
            Vec::new(),
            vec![13],
        ] {
            let mut after = page.clone();
            assert!(!clear_unused(&mut after, 2, 9));
            assert_eq!(after, page);
        }
    }

    #[test]
    fn what_maps_pointers_stays() {
        let layout = Layout {
            pages: 300,
            has_pointer_maps: true,
        };
        // 512 / 5 entries, and the map itself.
        for number in [2, 105, 208] {
            assert!(!layout.clear_unused(&mut leaf(0), number), "{number}");
        }
        for number in [3, 104, 106] {
            assert!(layout.clear_unused(&mut leaf(0), number), "{number}");
        }
        assert!(layout.clear_unused(&mut leaf(FIRST_HEADER), 1));
        let without = Layout {
            has_pointer_maps: false,
            ..layout
        };
        assert!(without.clear_unused(&mut leaf(0), 2));
    }

    /// The first byte of the number of a page, with which pages that are none of a tree begin.
    #[test]
    fn a_page_that_may_be_another_kind_stays() {
        let last_certain = (13 << 24) - 1;
        assert!(clear_unused(&mut leaf(0), 2, last_certain));
        assert!(!clear_unused(&mut leaf(0), 2, last_certain + 1));
        // Nothing else begins with the header of the file.
        assert!(clear_unused(&mut leaf(FIRST_HEADER), 1, u32::MAX));
    }
}
