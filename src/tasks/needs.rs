//! What runs read that may have to be fetched first, before any of them begins: a job's process
//! only ever looks into caches.

use crate::config::{Model, Origin, Settings};
use crate::hub::Wanted;

/// Something that a run reads and that may have to be fetched. Whatever else comes from elsewhere
/// joins here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// A model of the hub.
    Model {
        /// Its name.
        id: String,
        /// A branch or tag as it is written, or the commit that it was pinned to.
        revision: String,
        /// What it is to do, which decides the files.
        wanted: Wanted,
    },
}

impl Need {
    /// The need of a model's table, if the model is of the hub.
    pub(super) fn model(model: &Model, wanted: Wanted) -> Option<Self> {
        match &model.origin {
            Origin::Hub { id, revision } => Some(Self::Model {
                id: id.clone(),
                revision: revision.clone(),
                wanted,
            }),
            Origin::Folder(_) | Origin::Random { .. } => None,
        }
    }
}

/// What a run with these settings reads that may have to be fetched; nothing where this version
/// cannot execute it.
#[must_use]
pub fn needs(settings: &Settings) -> Vec<Need> {
    let task = super::of(settings);
    match task.refusal() {
        Some(_) => Vec::new(),
        None => task.needs(),
    }
}
