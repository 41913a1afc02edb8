//! Hashes, names and proofs, against published vectors and a direct reading of RFC 6962.
#![allow(missing_docs, clippy::unwrap_used)]

use galen_ledger::tiles::{
    EMPTY_ROOT, Edge, Hash, Level, MAX_SIZE, TilePath, TileSet, leaf_hash, node_hash, parse_bundle,
    prove_consistency, prove_inclusion, tiles_for_consistency, tiles_for_edge, tiles_for_inclusion,
    verify_consistency, verify_inclusion,
};

fn hex(text: &str) -> Vec<u8> {
    let digit = |i: usize| u8::from_str_radix(&text[i..i + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

/// The vectors of the reference implementation of Certificate Transparency, used by Trillian and Tessera.
#[test]
fn hashes_are_those_of_certificate_transparency() {
    assert_eq!(
        leaf_hash(b"").to_vec(),
        hex("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")
    );
    assert_eq!(
        leaf_hash(b"L123456").to_vec(),
        hex("395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56")
    );
    let leaves = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut edge = Edge::new();
    assert_eq!(edge.root(), EMPTY_ROOT);
    for (leaf, root) in leaves.iter().zip(roots) {
        edge.push(&hex(leaf), &mut Vec::new()).unwrap();
        assert_eq!(edge.root().to_vec(), hex(root));
    }
}

/// The examples of c2sp.org/tlog-tiles, and what is close to them but no name.
#[test]
fn names_are_those_of_tlog_tiles() {
    let cases = [
        (Level::Hashes(0), 1_234_067, 256, "tile/0/x001/x234/067"),
        (Level::Hashes(1), 1_234_067, 1, "tile/1/x001/x234/067.p/1"),
        (Level::Entries, 0, 255, "tile/entries/000.p/255"),
        (Level::Entries, 1_000, 256, "tile/entries/x001/000"),
        (Level::Hashes(5), 0, 3, "tile/5/000.p/3"),
    ];
    for (level, n, width, text) in cases {
        let path = TilePath::new(level, n, width).unwrap();
        assert_eq!(path.to_string(), text);
        assert_eq!(TilePath::parse(text).unwrap(), path);
    }
    for bad in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/00/000",
        "tile/+0/000",
        "tile/6/000",
        "tile/300/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/1000",
        "tile/0/x000/000",
        "tile/0/x001/x000",
        "tile/0/001/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p/1/2",
        "tile/0/000/",
        "tile/data/000",
        "tile/entries/-01",
        "tile/0/../000",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert!(TilePath::parse(bad).is_err(), "{bad:?}");
    }
    assert!(TilePath::new(Level::Hashes(0), 0, 0).is_err());
    assert!(TilePath::new(Level::Hashes(0), 0, 257).is_err());
    assert!(TilePath::new(Level::Hashes(0), u64::MAX, 1).is_err());
}

#[test]
fn bundles_are_read_back_or_refused() {
    let mut edge = Edge::new();
    let mut full = Vec::new();
    let long = vec![7; 65_535];
    edge.push(&long, &mut full).unwrap();
    assert!(edge.push(&[7; 65_536], &mut full).is_err());
    assert_eq!(edge.size(), 1, "a refused entry leaves the tree as it was");
    edge.push(b"", &mut full).unwrap();
    let partials = edge.partials().unwrap();
    let bundle = partials
        .iter()
        .find(|t| t.path.level() == Level::Entries)
        .unwrap();
    assert_eq!(bundle.path.to_string(), "tile/entries/000.p/2");
    assert_eq!(bundle.bytes[..2], [0xff, 0xff], "the length is big-endian");
    assert_eq!(parse_bundle(&bundle.bytes).unwrap(), [&long[..], b""]);
    assert!(parse_bundle(&bundle.bytes[..bundle.bytes.len() - 1]).is_err());
    assert!(parse_bundle(&[0, 2, 1]).is_err());
    assert_eq!(parse_bundle(&[0; 512]).unwrap().len(), 256);
    assert!(parse_bundle(&[0; 514]).is_err());
}

/// MTH of RFC 6962, section 2.1, word for word.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [one] => *one,
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            node_hash(&mth(&leaves[..k]), &mth(&leaves[k..]))
        }
    }
}

/// A tree with the tiles that a publisher would have written at every size.
struct Tree {
    edge: Edge,
    leaves: Vec<Hash>,
    tiles: TileSet,
}

impl Tree {
    fn new() -> Self {
        Self {
            edge: Edge::new(),
            leaves: Vec::new(),
            tiles: TileSet::new(),
        }
    }

    fn grow(&mut self, to: u64) {
        let mut full = Vec::new();
        for n in self.edge.size()..to {
            self.edge.push(&n.to_be_bytes(), &mut full).unwrap();
            self.leaves.push(leaf_hash(&n.to_be_bytes()));
        }
        full.extend(self.edge.partials().unwrap());
        self.tiles
            .extend(full.into_iter().map(|t| (t.path, t.bytes)));
    }

    fn size(&self) -> u64 {
        self.edge.size()
    }

    fn check_inclusion(&self, index: u64) {
        let (size, root) = (self.size(), self.edge.root());
        let leaf = &self.leaves[usize::try_from(index).unwrap()];
        let needed = tiles_for_inclusion(size, index).unwrap();
        let tiles: TileSet = needed.iter().map(|p| (*p, self.tiles[p].clone())).collect();
        let proof = prove_inclusion(size, &root, index, leaf, &tiles).unwrap();
        verify_inclusion(size, &root, index, leaf, &proof).unwrap();

        let other = [0; 32];
        assert!(prove_inclusion(size, &root, index, &other, &tiles).is_err());
        assert!(verify_inclusion(size, &root, index, &other, &proof).is_err());
        assert!(verify_inclusion(size, &other, index, leaf, &proof).is_err());
        assert!(verify_inclusion(size, &root, size, leaf, &proof).is_err());
        assert!(
            verify_inclusion(size, &root, index, leaf, &[&proof[..], &[other]].concat()).is_err()
        );
        if size > 1 {
            assert!(verify_inclusion(size, &root, index ^ 1, leaf, &proof).is_err());
            assert!(verify_inclusion(size, &root, index, leaf, &proof[1..]).is_err());
        }
        for path in needed {
            let mut tampered = tiles.clone();
            tampered.get_mut(&path).unwrap()[5] ^= 1;
            assert!(prove_inclusion(size, &root, index, leaf, &tampered).is_err());
            tampered.get_mut(&path).unwrap().pop();
            assert!(prove_inclusion(size, &root, index, leaf, &tampered).is_err());
            tampered.remove(&path);
            assert!(prove_inclusion(size, &root, index, leaf, &tampered).is_err());
        }
    }

    fn check_consistency(&self, old: u64) {
        let (size, root) = (self.size(), self.edge.root());
        let old_root = mth(&self.leaves[..usize::try_from(old).unwrap()]);
        let needed = tiles_for_consistency(old, size).unwrap();
        let tiles: TileSet = needed.iter().map(|p| (*p, self.tiles[p].clone())).collect();
        let proof = prove_consistency(old, size, &root, &tiles).unwrap();
        verify_consistency((old, &old_root), (size, &root), &proof).unwrap();

        for path in needed {
            let mut tampered = tiles.clone();
            tampered.get_mut(&path).unwrap()[5] ^= 1;
            assert!(prove_consistency(old, size, &root, &tampered).is_err());
        }
        let other = [0; 32];
        assert!(verify_consistency((old, &other), (size, &root), &proof).is_err());
        if old > 0 {
            assert!(verify_consistency((old, &old_root), (size, &other), &proof).is_err());
        }
        assert!(
            verify_consistency(
                (old, &old_root),
                (size, &root),
                &[&proof[..], &[other]].concat()
            )
            .is_err()
        );
        if old < size {
            assert!(verify_consistency((size, &root), (old, &old_root), &proof).is_err());
            assert_eq!(proof.is_empty(), old == 0);
        }
    }
}

#[test]
fn every_proof_of_every_size_to_70_verifies() {
    let mut tree = Tree::new();
    for size in 0..=70 {
        tree.grow(size);
        assert_eq!(tree.edge.root(), mth(&tree.leaves));
        (0..size).for_each(|i| tree.check_inclusion(i));
        (0..=size).for_each(|old| tree.check_consistency(old));
    }
}

#[test]
fn proofs_verify_around_tile_boundaries() {
    let mut tree = Tree::new();
    let sizes = [
        254, 255, 256, 257, 258, 259, 512, 513, 65_535, 65_536, 65_537, 65_795,
    ];
    for size in sizes {
        tree.grow(size);
        assert_eq!(tree.edge.root(), mth(&tree.leaves), "size {size}");
        let near = sizes.into_iter();
        let mut points: Vec<u64> = [0, 1, 2, 127, 128, size / 2, size - 2, size - 1]
            .into_iter()
            .chain(near)
            .filter(|p| *p < size)
            .collect();
        points.sort_unstable();
        points.dedup();
        for point in points {
            tree.check_inclusion(point);
            tree.check_consistency(point);
        }
        tree.check_consistency(size);
    }
}

#[test]
fn sizes_out_of_range_are_errors_and_never_panics() {
    let (root, none) = ([0; 32], TileSet::new());
    for (size, index) in [
        (0, 0),
        (1, 1),
        (5, 9),
        (MAX_SIZE + 1, 0),
        (u64::MAX, 0),
        (u64::MAX, u64::MAX),
    ] {
        assert!(tiles_for_inclusion(size, index).is_err());
        assert!(prove_inclusion(size, &root, index, &root, &none).is_err());
        assert!(verify_inclusion(size, &root, index, &root, &[]).is_err());
    }
    for (old, new) in [
        (1, 0),
        (0, MAX_SIZE + 1),
        (9, 5),
        (u64::MAX, u64::MAX),
        (1, u64::MAX),
    ] {
        assert!(tiles_for_consistency(old, new).is_err());
        assert!(prove_consistency(old, new, &root, &none).is_err());
        assert!(verify_consistency((old, &root), (new, &root), &[]).is_err());
    }
    // The greatest log: planning and verifying do not overflow.
    for index in [0, 1, MAX_SIZE / 2, MAX_SIZE - 1] {
        assert_eq!(tiles_for_inclusion(MAX_SIZE, index).unwrap().len(), 6);
        assert!(verify_inclusion(MAX_SIZE, &root, index, &root, &[root; 40]).is_err());
        assert!(tiles_for_inclusion(MAX_SIZE - 1, index.min(MAX_SIZE - 2)).is_ok());
        assert!(tiles_for_consistency(index.max(1), MAX_SIZE).is_ok());
    }
    assert!(verify_inclusion(5, &root, 0, &root, &vec![root; 10_000]).is_err());
}

/// A publisher that starts takes up the tree from its incomplete tiles, or not at all.
#[test]
fn an_edge_is_restored_from_its_tiles_and_grows_on_as_the_one_that_wrote_them() {
    let mut tree = Tree::new();
    let sizes = [
        0, 1, 2, 255, 256, 257, 511, 512, 600, 65_535, 65_536, 65_537, 65_800, 66_048,
    ];
    for size in sizes {
        tree.grow(size);
        let root = tree.edge.root();
        let needed = tiles_for_edge(size).unwrap();
        assert!(needed.len() <= 6);
        let tiles: TileSet = needed.iter().map(|p| (*p, tree.tiles[p].clone())).collect();
        let entries: Vec<_> = (size - size % 256..size).map(u64::to_be_bytes).collect();
        let mut edge = Edge::restore(size, &root, &tiles, &entries).unwrap();
        assert_eq!((edge.size(), edge.root()), (size, root));
        assert_eq!(edge.partials().unwrap(), tree.edge.partials().unwrap());
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut other = tree.edge.clone();
        for n in 0..600u64 {
            edge.push(&n.to_le_bytes(), &mut ours).unwrap();
            other.push(&n.to_le_bytes(), &mut theirs).unwrap();
        }
        assert_eq!(ours, theirs);
        assert_eq!(edge.root(), other.root());

        assert!(Edge::restore(size, &[7; 32], &tiles, &entries).is_err());
        assert!(Edge::restore(size + 1, &root, &tiles, &entries).is_err());
        assert!(Edge::restore(size, &root, &tiles, &[&entries[..], &[[0; 8]]].concat()).is_err());
        for path in needed {
            let mut tampered = tiles.clone();
            tampered.get_mut(&path).unwrap()[5] ^= 1;
            assert!(Edge::restore(size, &root, &tampered, &entries).is_err());
            tampered.remove(&path);
            assert!(Edge::restore(size, &root, &tampered, &entries).is_err());
        }
        if let Some((_, shorter)) = entries.split_last() {
            assert!(Edge::restore(size, &root, &tiles, shorter).is_err());
            let mut changed = entries.clone();
            changed[0][0] ^= 1;
            assert!(Edge::restore(size, &root, &tiles, &changed).is_err());
        }
    }
    assert!(tiles_for_edge(MAX_SIZE + 1).is_err());
    assert!(Edge::restore(u64::MAX, &[0; 32], &TileSet::new(), &[[0; 8]; 0]).is_err());
}

#[test]
fn a_tile_tells_how_many_entries_there_are_at_least() {
    for (name, least) in [
        ("tile/0/000", 256),
        ("tile/entries/002.p/1", 513),
        ("tile/1/000.p/2", 512),
        ("tile/1/001", 131_072),
        ("tile/2/000.p/1", 65_536),
        ("tile/5/000.p/1", 1 << 40),
    ] {
        assert_eq!(TilePath::parse(name).unwrap().least_size(), least, "{name}");
    }
}
