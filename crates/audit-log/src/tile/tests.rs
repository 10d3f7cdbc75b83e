//! Paths, tiles and bundles: one spelling each, at every width, and nothing else.

use proptest::prelude::*;

use super::*;
use crate::tree::{ConsistencyProof, InclusionProof, RightEdge, Subtree, TreeHash};

fn path(text: &str) -> TilePath {
    text.parse().unwrap()
}

#[test]
fn a_path_has_three_digits_an_element() {
    let hashes = TileKind::Hashes { level: 0 };
    for (kind, index, width, text) in [
        (hashes, 0, 256, "tile/0/000"),
        (hashes, 999, 256, "tile/0/999"),
        (hashes, 1_000, 256, "tile/0/x001/000"),
        (hashes, 1_234_067, 256, "tile/0/x001/x234/067"),
        (hashes, 1, 44, "tile/0/001.p/44"),
        (TileKind::Entries, 0, 8, "tile/entries/000.p/8"),
        (
            TileKind::Entries,
            1_000_000,
            255,
            "tile/entries/x001/x000/000.p/255",
        ),
        (TileKind::Hashes { level: 7 }, 0, 1, "tile/7/000.p/1"),
    ] {
        let path = TilePath::new(kind, index, width).unwrap();
        assert_eq!(path.to_string(), text);
        assert_eq!(text.parse(), Ok(path));
    }
}

#[test]
fn a_file_has_one_path() {
    for text in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/x001/x000",
        "tile/00/000",
        "tile/8/000",
        "tile/-1/000",
        "tile/entry/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/+1",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/+00",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0//000",
        "tile/0/x001//000",
        "tile/0/x0é/000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/7/001",
        "tile/entries/../000",
        "tile/0/000.p/1.p/1",
    ] {
        assert_eq!(text.parse::<TilePath>(), Err(InvalidPath), "{text}");
    }
}

#[test]
fn no_tree_has_wider_tiles_or_more_of_them() {
    let level = |level| TileKind::Hashes { level };
    assert!(TilePath::new(level(0), 0, 0).is_err());
    assert!(TilePath::new(level(0), 0, 257).is_err());
    assert!(TilePath::new(level(8), 0, 1).is_err());
    assert!(TilePath::new(level(0), u64::MAX >> 8, 1).is_ok());
    assert!(TilePath::new(TileKind::Entries, (u64::MAX >> 8) + 1, 1).is_err());
    assert!(TilePath::new(level(7), 0, 256).is_ok());
    assert!(TilePath::new(level(7), 1, 1).is_err());
}

#[test]
fn the_partial_tiles_are_those_of_the_specification() {
    let partial = |size| {
        TilePath::partial(size)
            .map(|path| path.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(partial(0), [""; 0]);
    // The two examples of tlog-tiles, "Partial Tiles".
    let of_70_000 = [
        "tile/entries/273.p/112",
        "tile/0/273.p/112",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ];
    assert_eq!(partial(70_000), of_70_000);
    assert_eq!(partial(256), ["tile/1/000.p/1"]);
}

#[test]
fn a_tile_has_the_length_that_its_path_says() {
    let bytes = [7; 96];
    let tile = HashTile::decode(path("tile/0/000.p/3"), &bytes).unwrap();
    assert_eq!(tile.hashes().len(), 3);
    for (other, found) in [
        ("tile/0/000.p/3", 95),
        ("tile/0/000.p/2", 65),
        ("tile/0/000.p/2", 96),
        ("tile/0/000", 96),
    ] {
        let other = path(other);
        let expected = usize::from(other.width()) * 32;
        let error = HashTile::decode(other, &bytes[..found]).unwrap_err();
        assert_eq!(error, TileError::WrongLength { expected, found });
    }
    let entries = path("tile/entries/000.p/3");
    assert_eq!(
        HashTile::decode(entries, &bytes).unwrap_err(),
        TileError::OtherKind
    );
}

#[test]
fn a_bundle_has_the_entries_that_its_path_says() {
    let mut bytes = Vec::new();
    for entry in [&b"one"[..], b"", b"three"] {
        write_entry(entry, &mut bytes).unwrap();
    }
    assert_eq!(bytes, b"\x00\x03one\x00\x00\x00\x05three");
    let three = path("tile/entries/000.p/3");
    let bundle = EntryBundle::decode(three, &bytes).unwrap();
    assert_eq!(
        bundle.entries().collect::<Vec<_>>(),
        [&b"one"[..], b"", b"three"]
    );
    for length in 0..bytes.len() {
        let error = EntryBundle::decode(three, &bytes[..length]).unwrap_err();
        assert!(
            matches!(error, TileError::Truncated { entry: 0..=2 }),
            "{error}"
        );
    }
    let error = EntryBundle::decode(path("tile/entries/000.p/2"), &bytes).unwrap_err();
    assert_eq!(error, TileError::TrailingBytes { found: 7 });
    let error = EntryBundle::decode(path("tile/0/000.p/3"), &bytes).unwrap_err();
    assert_eq!(error, TileError::OtherKind);
}

#[test]
fn an_entry_has_at_most_65535_bytes() {
    let mut bundle = Vec::new();
    let found = 65_536;
    assert_eq!(
        write_entry(&vec![0; found], &mut bundle),
        Err(TileError::EntryTooLong { found })
    );
    assert!(bundle.is_empty());
    write_entry(&vec![1; 65_535], &mut bundle).unwrap();
    let bundle = EntryBundle::decode(path("tile/entries/000.p/1"), &bundle).unwrap();
    assert_eq!(bundle.entries().next().map(<[u8]>::len), Some(65_535));
}

/// All tiles of a tree, as a writer makes them, and its right edge.
fn tiles(size: u64) -> (Vec<HashTile>, RightEdge) {
    let (mut growing, mut edge, mut tiles) = (GrowingTiles::new(), RightEdge::new(), Vec::new());
    // By their bytes, as a reader has them.
    let decode = |path, hashes: &[TreeHash]| {
        let bytes = HashTile::new(path, hashes).unwrap().encode();
        HashTile::decode(path, &bytes).unwrap()
    };
    for n in 0..size {
        let leaf = TreeHash::of_leaf(&n.to_be_bytes());
        edge.push(leaf);
        growing.push(leaf, |path, hashes| tiles.push(decode(path, hashes)));
    }
    tiles.extend(growing.partial().map(|(path, hashes)| decode(path, hashes)));
    (tiles, edge)
}

fn subtree(tiles: &[HashTile], subtree: Subtree) -> Result<TreeHash, TileError> {
    let tile = tiles
        .iter()
        .find(|tile| tile.holds(subtree))
        .expect("every subtree is in a tile");
    tile.subtree(subtree)
}

/// Every proof from tiles leads to the root that the right edge has.
fn check_proofs(size: u64, index: u64, old: u64) {
    let (tiles, edge) = tiles(size);
    let leaf = TreeHash::of_leaf(&index.to_be_bytes());
    let proof = InclusionProof::build(index, size, |of| subtree(&tiles, of)).unwrap();
    proof.verify(&leaf, &edge.root()).unwrap();
    let mut earlier = RightEdge::new();
    (0..old).for_each(|n| earlier.push(TreeHash::of_leaf(&n.to_be_bytes())));
    let proof = ConsistencyProof::build(old, size, |of| subtree(&tiles, of)).unwrap();
    proof.verify(&earlier.root(), &edge.root()).unwrap();
}

#[test]
fn tiles_prove_all_around_powers_of_256() {
    for size in [1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537] {
        for index in [0, size / 2, size - 1] {
            check_proofs(size, index, index);
        }
    }
}

#[test]
fn a_tile_knows_what_is_not_in_it() {
    let (tiles, _) = tiles(300);
    let first = &tiles[0];
    let mut asked = Vec::new();
    InclusionProof::build(299, 300, |of| {
        asked.push(of);
        subtree(&tiles, of)
    })
    .unwrap();
    // The whole of the first 256 leaves is a hash of the tile above.
    let above = asked.iter().find(|of| of.level() == 8).unwrap();
    assert!(!first.holds(*above));
    let (level, index) = (8, 0);
    assert_eq!(
        first.subtree(*above),
        Err(TileError::NotInTile { level, index })
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn tiles_prove_at_any_size(size in 1_u64..70_000, index in any::<u64>(), old in any::<u64>()) {
        check_proofs(size, index % size, old % (size + 1));
    }
}

proptest! {
    #[test]
    fn a_path_that_is_read_is_written_again(
        level in 0_u8..9, index in any::<u64>(), shift in 0_u32..64, width in 1_u16..=256, is_bundle in any::<bool>(),
    ) {
        let kind = if is_bundle { TileKind::Entries } else { TileKind::Hashes { level } };
        if let Ok(path) = TilePath::new(kind, index >> shift, width) {
            prop_assert_eq!(path.to_string().parse(), Ok(path));
        }
    }

    #[test]
    fn no_text_panics(text in "tile/(entries|[0-9])/[x0-9/.p]{0,40}") {
        if let Ok(path) = text.parse::<TilePath>() {
            prop_assert_eq!(path.to_string(), text);
        }
    }

    #[test]
    fn no_bundle_panics(bytes in prop::collection::vec(0_u8..4, 0..300), width in 1_u16..=256) {
        let path = TilePath::new(TileKind::Entries, 0, width).unwrap();
        if let Ok(bundle) = EntryBundle::decode(path, &bytes) {
            let mut again = Vec::new();
            for entry in bundle.entries() {
                write_entry(entry, &mut again).unwrap();
            }
            prop_assert_eq!(&again, &bytes);
            prop_assert_eq!(bundle.entries().count(), usize::from(width));
        }
    }
}
