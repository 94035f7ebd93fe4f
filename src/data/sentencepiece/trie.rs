//! A trie over byte strings: every key that a text begins with, shortest first.

use std::ops::Range;

/// Keys with a value each. A node's children lie side by side, sorted by their byte.
#[derive(Debug, Clone)]
pub(super) struct Trie {
    children: Vec<Range<u32>>,
    bytes: Vec<u8>,
    values: Vec<Option<u32>>,
}

impl Trie {
    /// A trie of `keys`; of equal keys the first counts. Takes time and memory in proportion to
    /// their bytes.
    pub(super) fn new<'a>(keys: impl IntoIterator<Item = (&'a [u8], u32)>) -> Self {
        let mut keys: Vec<(&[u8], u32)> = keys.into_iter().collect();
        keys.sort_by_key(|(key, _)| *key);
        keys.dedup_by_key(|(key, _)| *key);
        let mut trie = Self {
            children: vec![Range::default()],
            bytes: vec![0],
            values: vec![None],
        };
        // Breadth first: for each node, the keys that pass through it and their common length.
        let mut open = vec![(0..keys.len(), 0_usize)];
        let mut node = 0;
        while node < open.len() {
            let (mut range, depth) = open[node].clone();
            if let Some((key, value)) = keys[range.clone()].first()
                && key.len() == depth
            {
                trie.values[node] = Some(*value);
                range.start += 1;
            }
            let first = trie.bytes.len();
            while !range.is_empty() {
                let byte = keys[range.start].0[depth];
                let count = keys[range.clone()].partition_point(|(key, _)| key[depth] <= byte);
                open.push((range.start..range.start + count, depth + 1));
                trie.bytes.push(byte);
                trie.values.push(None);
                trie.children.push(0..0);
                range.start += count;
            }
            trie.children[node] = index(first)..index(trie.bytes.len());
            node += 1;
        }
        trie
    }

    /// The length and value of every key that `text` begins with, shortest first.
    pub(super) fn prefixes<'a>(
        &'a self,
        text: &'a [u8],
    ) -> impl Iterator<Item = (usize, u32)> + 'a {
        let path = text.iter().scan(0_usize, |node, byte| {
            let children = &self.children[*node];
            let children = children.start as usize..children.end as usize;
            let child = self.bytes[children.clone()].binary_search(byte).ok()?;
            *node = children.start + child;
            Some(self.values[*node])
        });
        path.enumerate()
            .filter_map(|(before, value)| Some((before + 1, value?)))
    }
}

/// Nodes are counted in 32 bits: a model file is smaller than that.
fn index(node: usize) -> u32 {
    u32::try_from(node).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_that_a_text_begins_with_are_found() {
        let keys = ["a", "abc", "b", "ab", "abc", "é", "a\0"];
        let trie = Trie::new(keys.iter().map(|key| key.as_bytes()).zip(0..));
        let found = |text: &str| trie.prefixes(text.as_bytes()).collect::<Vec<_>>();
        assert_eq!(found("abcd"), [(1, 0), (2, 3), (3, 1)]);
        assert_eq!(found("a\0b"), [(1, 0), (2, 6)]);
        assert_eq!(found("éa"), [(2, 5)]);
        assert_eq!(found("ba"), [(1, 2)]);
        assert!(found("").is_empty() && found("c").is_empty());
        assert!(Trie::new([]).prefixes(b"a").next().is_none());
    }
}
