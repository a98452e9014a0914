//! A Merkle tree after RFC 6962 and RFC 9162, section 2.1, over the hashes of complete subtrees: a leaf is
//! appended, and every root and proof is found, with a number of hashes that grows as the logarithm of the
//! log's size.

use sha2::{Digest, Sha256};

/// SHA-256.
pub(crate) type Hash = [u8; 32];

/// A complete subtree: `level` 0 are the leaves, and `index` counts from the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// The subtree has 2^level leaves.
    pub(crate) level: u32,
    /// Which of them.
    pub(crate) index: u64,
}

/// The hash of a leaf's data (RFC 9162, 2.1.1).
pub(crate) fn leaf_hash(data: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(data).finalize().into()
}

/// The hash of two subtrees.
fn parent(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// What a leaf adds to a log of `size` leaves: itself and every subtree that it completes.
pub(crate) fn append<E>(
    size: u64,
    leaf: Hash,
    node: impl Fn(Place) -> Result<Hash, E>,
) -> Result<Vec<(Place, Hash)>, E> {
    let mut at = Place { level: 0, index: size };
    let mut hash = leaf;
    let mut grown = vec![(at, hash)];
    while at.index % 2 == 1 {
        hash = parent(&node(Place { level: at.level, index: at.index - 1 })?, &hash);
        at = Place { level: at.level + 1, index: at.index / 2 };
        grown.push((at, hash));
    }
    Ok(grown)
}

/// The root over the first `size` leaves.
pub(crate) fn root<E>(size: u64, node: impl Fn(Place) -> Result<Hash, E>) -> Result<Hash, E> {
    if size == 0 { Ok(Sha256::digest([]).into()) } else { subtree(0, size, &node) }
}

/// The leaves of the left half of `n` leaves: the largest power of two below `n`, which is at least 2.
fn left(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

fn subtree<E>(from: u64, to: u64, node: &impl Fn(Place) -> Result<Hash, E>) -> Result<Hash, E> {
    let n = to - from;
    if n.is_power_of_two() {
        // Halves are split at powers of two, so that a complete subtree begins at a multiple of its size.
        return node(Place { level: n.trailing_zeros(), index: from / n });
    }
    let middle = from + left(n);
    Ok(parent(&subtree(from, middle, node)?, &subtree(middle, to, node)?))
}

/// The proof that leaf `index` is in the tree of the first `size` leaves (2.1.3). `index` is below `size`.
pub(crate) fn inclusion<E>(
    index: u64,
    size: u64,
    node: impl Fn(Place) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let (mut from, mut to) = (0, size);
    let mut others = Vec::new();
    while to - from > 1 {
        let middle = from + left(to - from);
        if index < middle {
            others.push((middle, to));
            to = middle;
        } else {
            others.push((from, middle));
            from = middle;
        }
    }
    others.iter().rev().map(|(from, to)| subtree(*from, *to, &node)).collect()
}

/// The proof that the tree of `first` leaves is the beginning of the tree of `second` leaves (2.1.4);
/// 0 < `first` <= `second`.
pub(crate) fn consistency<E>(
    first: u64,
    second: u64,
    node: impl Fn(Place) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let (mut from, mut to) = (0, second);
    let mut others = Vec::new();
    let mut whole = true;
    while to != first {
        let middle = from + left(to - from);
        if first <= middle {
            others.push((middle, to));
            to = middle;
        } else {
            others.push((from, middle));
            from = middle;
            whole = false;
        }
    }
    if !whole {
        others.push((from, to));
    }
    others.iter().rev().map(|(from, to)| subtree(*from, *to, &node)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// A log in memory with its roots by the definition of the RFC, word for word.
    struct Log {
        leaves: Vec<Vec<u8>>,
        nodes: HashMap<Place, Hash>,
    }

    impl Log {
        fn new(leaves: Vec<Vec<u8>>) -> Self {
            let mut nodes = HashMap::new();
            for (size, leaf) in leaves.iter().enumerate() {
                let grown =
                    append(size as u64, leaf_hash(leaf), |place| nodes.get(&place).copied().ok_or(place));
                let grown = grown.unwrap();
                nodes.extend(grown);
            }
            Self { leaves, nodes }
        }
        fn node(&self, place: Place) -> Result<Hash, Place> {
            self.nodes.get(&place).copied().ok_or(place)
        }
        fn defined(leaves: &[Vec<u8>]) -> Hash {
            match leaves {
                [] => Sha256::digest([]).into(),
                [leaf] => leaf_hash(leaf),
                more => {
                    let mut k = 1;
                    while 2 * k < more.len() {
                        k *= 2;
                    }
                    parent(&Self::defined(&more[..k]), &Self::defined(&more[k..]))
                }
            }
        }
    }

    /// RFC 9162, 2.1.3.2: another algorithm than the one that makes the proof.
    fn holds(leaf: Hash, index: u64, size: u64, path: &[Hash], root: Hash) -> bool {
        let (mut fnode, mut snode, mut r) = (index, size - 1, leaf);
        for p in path {
            if snode == 0 {
                return false;
            }
            if fnode % 2 == 1 || fnode == snode {
                r = parent(p, &r);
                while fnode % 2 == 0 && fnode != 0 {
                    fnode >>= 1;
                    snode >>= 1;
                }
            } else {
                r = parent(&r, p);
            }
            fnode >>= 1;
            snode >>= 1;
        }
        snode == 0 && r == root
    }

    /// RFC 9162, 2.1.4.2.
    fn continues(first: u64, second: u64, proof: &[Hash], old: Hash, new: Hash) -> bool {
        if first == second {
            return proof.is_empty() && old == new;
        }
        let mut path = proof.to_vec();
        if first.is_power_of_two() {
            path.insert(0, old);
        }
        let (mut fnode, mut snode) = (first - 1, second - 1);
        while fnode % 2 == 1 {
            fnode >>= 1;
            snode >>= 1;
        }
        let Some((start, rest)) = path.split_first() else { return false };
        let (mut fr, mut sr) = (*start, *start);
        for c in rest {
            if snode == 0 {
                return false;
            }
            if fnode % 2 == 1 || fnode == snode {
                fr = parent(c, &fr);
                sr = parent(c, &sr);
                while fnode % 2 == 0 && fnode != 0 {
                    fnode >>= 1;
                    snode >>= 1;
                }
            } else {
                sr = parent(&sr, c);
            }
            fnode >>= 1;
            snode >>= 1;
        }
        snode == 0 && fr == old && sr == new
    }

    /// The inputs and roots that implementations of RFC 6962 share.
    const SHARED: [(&str, &str); 8] = [
        ("", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        ("00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
        ("10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
        ("2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
        ("3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
        ("40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
        ("5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
        (
            "606162636465666768696a6b6c6d6e6f",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ),
    ];

    #[test]
    fn the_roots_are_those_of_other_implementations() {
        let log = Log::new(SHARED.iter().map(|(input, _)| hex::decode(input).unwrap()).collect());
        for (size, (_, expected)) in (1..).zip(SHARED) {
            assert_eq!(hex::encode(root(size, |p| log.node(p)).unwrap()), expected, "{size} leaves");
        }
        let empty = root(0, |p| log.node(p)).unwrap();
        assert_eq!(hex::encode(empty), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn every_proof_of_every_size_holds_and_no_other() {
        let log = Log::new((0..70_u64).map(|n| n.to_le_bytes().to_vec()).collect());
        let roots: Vec<Hash> = (0..=70).map(|n| Log::defined(&log.leaves[..n])).collect();
        for size in 1..=70_u64 {
            let now = roots[size as usize];
            assert_eq!(root(size, |p| log.node(p)).unwrap(), now);
            for index in 0..size {
                let leaf = leaf_hash(&log.leaves[index as usize]);
                let path = inclusion(index, size, |p| log.node(p)).unwrap();
                assert!(holds(leaf, index, size, &path, now), "{index} in {size}");
                assert!(!holds(leaf_hash(b"other"), index, size, &path, now));
                if size > 1 {
                    assert!(!holds(leaf, (index + 1) % size, size, &path, now), "{index} in {size}");
                }
            }
            for first in 1..=size {
                let proof = consistency(first, size, |p| log.node(p)).unwrap();
                assert!(continues(first, size, &proof, roots[first as usize], now), "{first} of {size}");
                if first < size {
                    assert!(!continues(first, size, &proof, leaf_hash(b"other"), now));
                }
            }
        }
    }
}
