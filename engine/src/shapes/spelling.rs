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
    /// Names as they are spelled today: without what other tools put around the whole model, with
    /// the prefix, and `weight` and `bias` in norms, which the first checkpoints called `gamma` and
    /// `beta`.
    pub(crate) fn canonical(&self, names: &mut [String]) {
        self.unwrap(names);
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

    /// Takes away the names of modules that the network was only wrapped in.
    fn unwrap(&self, names: &mut [String]) {
        // Each turn takes one wrapper away, so that this ends.
        while !names.iter().any(|name| name.starts_with(self.prefix)) {
            let wrapper = WRAPPERS
                .into_iter()
                .find(|wrapper| names.iter().any(|name| name.starts_with(wrapper)));
            let Some(wrapper) = wrapper else { return };
            for name in &mut *names {
                if let Some(rest) = name.strip_prefix(wrapper) {
                    *name = rest.to_owned();
                }
            }
        }
    }
}

/// What tools put before the names of a model that they hold: distributed training, compilation,
/// training loops, sentence-transformers' list of modules. No architecture's own names begin so.
const WRAPPERS: [&str; 6] = [
    "module.",
    "_orig_mod.",
    "model.",
    "0.auto_model.",
    "0.model.",
    "auto_model.",
];

#[cfg(test)]
mod tests {
    use super::*;

    const SPELLING: Spelling = Spelling {
        prefix: "bert.",
        fresh: &["classifier."],
        ignored: &[],
    };

    fn canonical(names: &[&str]) -> Vec<String> {
        let mut names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        SPELLING.canonical(&mut names);
        names
    }

    #[test]
    fn wrappers_around_the_whole_model_are_taken_away() {
        let expected = ["bert.encoder.x", "classifier.weight"];
        for wrapper in [
            "",
            "module.",
            "model.",
            "module.model.",
            "_orig_mod.module.",
        ] {
            let names = expected.map(|name| format!("{wrapper}{name}"));
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            assert_eq!(canonical(&names), expected, "{wrapper}");
        }
        assert_eq!(
            canonical(&[
                "0.auto_model.encoder.x",
                "0.auto_model.embeddings.LayerNorm.gamma"
            ]),
            ["bert.encoder.x", "bert.embeddings.LayerNorm.weight"]
        );
    }

    #[test]
    fn names_beside_the_networks_own_are_left_alone() {
        let names = ["bert.encoder.x", "model.bert.encoder.x"];
        assert_eq!(canonical(&names), names);
    }
}
