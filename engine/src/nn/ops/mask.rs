//! Which keys a query sees.

use std::ops::Range;

/// Which of its text's keys a query sees.
///
/// The queries of a text are the last of its tokens: with as many keys, query and key of one number
/// are one token; with more keys, the first ones are of tokens that came before, as in a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mask {
    /// All of them.
    Full,
    /// Those of its own token and the ones before. A text must not have more queries than keys.
    Causal {
        /// The number of keys that it sees at most, the last ones: 1 or more; all without it.
        window: Option<usize>,
    },
}

impl Mask {
    /// The keys that a query sees, in a text of so many queries and keys.
    #[must_use]
    pub fn visible(self, query: usize, queries: usize, keys: usize) -> Range<usize> {
        match self {
            Self::Full => 0..keys,
            Self::Causal { window } => {
                let end = (keys + query + 1).saturating_sub(queries).min(keys);
                let first = window.map_or(0, |window| end.saturating_sub(window));
                first..end
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_causal_query_sees_its_own_token_and_those_before() {
        let causal = Mask::Causal { window: None };
        assert_eq!(causal.visible(0, 4, 4), 0..1);
        assert_eq!(causal.visible(3, 4, 4), 0..4);
        assert_eq!(causal.visible(0, 1, 7), 0..7);
        assert_eq!(causal.visible(1, 3, 7), 0..6);
        assert_eq!(Mask::Full.visible(1, 3, 7), 0..7);
    }

    #[test]
    fn a_window_ends_with_the_querys_own_token() {
        let windowed = Mask::Causal { window: Some(2) };
        assert_eq!(windowed.visible(0, 4, 4), 0..1);
        assert_eq!(windowed.visible(3, 4, 4), 2..4);
        assert_eq!(windowed.visible(1, 3, 7), 4..6);
    }
}
