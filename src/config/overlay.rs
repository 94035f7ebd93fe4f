//! Lays one table over another. Settings that exclude each other give way: a run that sets
//! `model.path` takes the base's `model.id` out.

use super::tree::{Entry, Table, Value};

/// Settings of a table that exclude each other.
pub(super) struct Alternatives {
    /// The table.
    pub table: &'static str,
    /// The settings, each with others that make sense only beside it.
    pub keys: &'static [(&'static str, &'static [&'static str])],
    /// Whether one of them has to be there.
    pub required: bool,
}

impl Alternatives {
    /// A setting in `table` that makes sense only beside another alternative than `chosen`.
    pub fn stray<'a>(&self, table: &'a Table, chosen: &str) -> Option<&'a Entry> {
        let (_, fitting) = self.keys.iter().find(|(key, _)| *key == chosen)?;
        self.keys
            .iter()
            .flat_map(|(_, dependents)| *dependents)
            .filter(|dependent| !fitting.contains(dependent))
            .find_map(|dependent| table.entry(dependent))
    }
}

const MODEL: &[(&str, &[&str])] = &[("path", &[]), ("id", &["revision"]), ("random", &[])];

/// Where `kind` stands for a method without a model, nothing of a model stays.
const MODEL_OR_KIND: &[(&str, &[&str])] = &[
    ("path", &["precision", "dropout"]),
    ("id", &["revision", "precision", "dropout"]),
    ("random", &["precision", "dropout"]),
    ("kind", &[]),
];

/// The same of an embedder, whose model may have texts before its own.
const EMBEDDER: &[(&str, &[&str])] = &[
    (
        "path",
        &["precision", "dropout", "query_prefix", "document_prefix"],
    ),
    (
        "id",
        &[
            "revision",
            "precision",
            "dropout",
            "query_prefix",
            "document_prefix",
        ],
    ),
    (
        "random",
        &["precision", "dropout", "query_prefix", "document_prefix"],
    ),
    ("kind", &[]),
];

/// All settings that exclude each other, except those inside lists.
pub(super) const ALTERNATIVES: &[Alternatives] = &[
    Alternatives {
        table: "model",
        keys: MODEL,
        required: true,
    },
    Alternatives {
        table: "embedder",
        keys: EMBEDDER,
        required: true,
    },
    Alternatives {
        table: "generator",
        keys: MODEL_OR_KIND,
        required: true,
    },
    Alternatives {
        table: "data",
        keys: &[("path", &[]), ("steam", &[])],
        required: true,
    },
    Alternatives {
        table: "data",
        keys: &[("test_size", &[]), ("test_path", &[])],
        required: false,
    },
    Alternatives {
        table: "document",
        keys: &[("path", &[]), ("url", &[])],
        required: true,
    },
    Alternatives {
        table: "prompt",
        keys: &[("template", &[]), ("template_file", &[])],
        required: true,
    },
];

/// Lays `over`, which stands at the dotted key `path`, over `base`.
pub(super) fn lay(base: &mut Table, over: &Table, path: &str) {
    for alternatives in ALTERNATIVES
        .iter()
        .filter(|alternatives| alternatives.table == path)
    {
        give_way(base, over, alternatives);
    }
    for entry in &over.entries {
        let inner = super::structure::dotted(path, &entry.key);
        let below = base.entries.iter_mut().find(|known| known.key == entry.key);
        match (below, &entry.node.value) {
            (Some(known), Value::Table(over)) => match &mut known.node.value {
                Value::Table(base) => lay(base, over, &inner),
                _ => known.node = entry.node.clone(),
            },
            (Some(known), _) => *known = entry.clone(),
            (None, _) => base.put(entry.clone()),
        }
    }
}

fn give_way(base: &mut Table, over: &Table, alternatives: &Alternatives) {
    let chosen = |key: &str| {
        alternatives
            .keys
            .iter()
            .find(|(name, _)| *name == key && over.get(name).is_some())
    };
    let Some((_, kept)) = alternatives.keys.iter().find_map(|(key, _)| chosen(key)) else {
        return;
    };
    for (key, dependents) in alternatives.keys {
        if over.get(key).is_some() || base.get(key).is_none() {
            continue;
        }
        base.remove(key);
        for dependent in dependents
            .iter()
            .filter(|dependent| !kept.contains(dependent))
        {
            base.remove(dependent);
        }
    }
}
