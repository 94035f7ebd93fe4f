//! The names that checkpoints give to tensors, and those that transformers uses today.

/// How an architecture's tensors are spelled in the checkpoints that exist.
#[derive(Debug, PartialEq, Eq)]
pub struct Spelling {
    /// The prefix that checkpoints of the bare model leave out.
    pub prefix: &'static str,
    /// Prefixes of tensors that may be missing and are then newly initialised.
    pub fresh: &'static [&'static str],
    /// Prefixes of tensors that other heads and old versions stored and that are not read, with
    /// `prefix`.
    pub ignored: &'static [&'static str],
}

impl Spelling {
    /// Names as they are spelled today: with the prefix, and `weight` and `bias` in norms, which
    /// the first checkpoints called `gamma` and `beta`.
    pub(crate) fn canonical(&self, names: &mut [String]) {
        let bare = !names.iter().any(|name| name.starts_with(self.prefix));
        for name in names {
            for (old, new) in [
                ("LayerNorm.gamma", "LayerNorm.weight"),
                ("LayerNorm.beta", "LayerNorm.bias"),
            ] {
                if let Some(stem) = name.strip_suffix(old) {
                    *name = format!("{stem}{new}");
                }
            }
            let of_the_head = self.fresh.iter().any(|prefix| name.starts_with(prefix));
            if bare && !of_the_head {
                name.insert_str(0, self.prefix);
            }
        }
    }
}
