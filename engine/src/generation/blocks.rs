//! Which blocks of the store of keys and values belong to which text, and which of them a prompt
//! that begins like an earlier one can take over.

use std::collections::HashMap;

use crate::nn::ops::BLOCK;

/// The blocks of a store.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// Texts that use each block.
    users: Vec<usize>,
    /// What each block holds, where it is whole and of a prompt.
    names: Vec<Option<Name>>,
    known: HashMap<Name, usize>,
    /// When each block was last given back; the oldest goes first.
    left: Vec<u64>,
    clock: u64,
    next_chain: u64,
    /// The number of the chain that ends with each block.
    chains: Vec<u64>,
}

/// What a block holds: what came before it, and its tokens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Name {
    before: u64,
    tokens: [u32; BLOCK],
}

/// Where a text begins: which set of angles it is computed with.
fn beginning(long: bool) -> u64 {
    u64::from(long)
}

impl Blocks {
    /// Blocks of an empty store.
    pub(super) fn new(count: usize) -> Self {
        Self {
            users: vec![0; count],
            names: vec![None; count],
            left: vec![0; count],
            chains: vec![0; count],
            next_chain: 2,
            ..Self::default()
        }
    }

    pub(super) fn count(&self) -> usize {
        self.users.len()
    }

    /// Blocks that no text uses.
    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.users.iter().filter(|&&users| users == 0).count()
    }

    /// Takes a block that no text uses, the one that has been unused for longest.
    pub(super) fn take(&mut self) -> Option<usize> {
        let unused = (0..self.users.len()).filter(|&block| self.users[block] == 0);
        let block = unused.min_by_key(|&block| (self.names[block].is_some(), self.left[block]))?;
        if let Some(name) = self.names[block].take() {
            self.known.remove(&name);
        }
        self.users[block] = 1;
        Some(block)
    }

    /// Takes over the blocks that hold the beginning of a prompt, but never all of it: the last
    /// token is always computed. Also says the chain that they end.
    pub(super) fn shared(&mut self, prompt: &[u32], long: bool) -> (Vec<usize>, u64) {
        let mut before = beginning(long);
        let mut found = Vec::new();
        let (whole, _) = prompt[..prompt.len() - 1].as_chunks::<BLOCK>();
        for &tokens in whole {
            let Some(&block) = self.known.get(&Name { before, tokens }) else {
                break;
            };
            self.users[block] += 1;
            before = self.chains[block];
            found.push(block);
        }
        (found, before)
    }

    /// Notes that a block holds these tokens of a prompt after a chain; says the chain that it ends.
    pub(super) fn name(&mut self, block: usize, before: u64, tokens: [u32; BLOCK]) -> u64 {
        let name = Name { before, tokens };
        if let Some(&known) = self.known.get(&name) {
            return self.chains[known];
        }
        self.next_chain += 1;
        self.chains[block] = self.next_chain;
        self.known.insert(name.clone(), block);
        self.names[block] = Some(name);
        self.next_chain
    }

    /// Gives blocks back.
    pub(super) fn give_back(&mut self, blocks: &[usize]) {
        self.clock += 1;
        // The end of a text goes before its beginning, which is of more use.
        for &block in blocks.iter().rev() {
            self.users[block] -= 1;
            self.left[block] = self.clock;
            self.clock += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(seed: u32, length: u32) -> Vec<u32> {
        (0..length).map(|token| token + seed).collect()
    }

    fn read(blocks: &mut Blocks, prompt: &[u32]) -> (usize, Vec<usize>) {
        let (mut taken, mut chain) = blocks.shared(prompt, false);
        let shared = taken.len();
        let (whole, rest) = prompt.as_chunks::<BLOCK>();
        for tokens in &whole[shared..] {
            let block = blocks.take().unwrap();
            chain = blocks.name(block, chain, *tokens);
            taken.push(block);
        }
        if !rest.is_empty() {
            taken.push(blocks.take().unwrap());
        }
        (shared, taken)
    }

    #[test]
    fn a_prompt_takes_over_what_it_begins_with_and_computes_its_last_token() {
        let mut blocks = Blocks::new(10);
        let first = prompt(0, 70);
        assert_eq!(read(&mut blocks, &first).0, 0);
        assert_eq!(read(&mut blocks, &first).0, 2);
        assert_eq!(read(&mut blocks, &first[..64]).0, 1, "not the last token");
        let mut other = first;
        other[40] = 9999;
        assert_eq!(read(&mut blocks, &other).0, 1);
        assert_eq!(read(&mut blocks, &prompt(1, 70)[..33]).0, 0);
    }

    #[test]
    fn a_block_is_used_again_once_nobody_uses_it_the_oldest_first() {
        let mut blocks = Blocks::new(4);
        let (one, two) = (prompt(0, 64), prompt(500, 64));
        let taken = read(&mut blocks, &one).1;
        assert_eq!(taken.len(), 2);
        blocks.give_back(&taken);
        let taken = read(&mut blocks, &two).1;
        blocks.give_back(&taken);
        assert_eq!(blocks.free(), 4);
        // The beginning of the first outlives its end.
        let last = blocks.take().unwrap();
        assert_eq!(blocks.shared(&one, false).0.len(), 1);
        assert_eq!(blocks.shared(&two, false).0.len(), 1);
        blocks.give_back(&[last]);
    }

    #[test]
    fn texts_of_other_angles_share_nothing() {
        let mut blocks = Blocks::new(4);
        let text = prompt(0, 40);
        read(&mut blocks, &text);
        assert_eq!(blocks.shared(&text, true).0, Vec::<usize>::new());
    }
}
