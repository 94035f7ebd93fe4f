//! What runs read that may have to be fetched first, before any of them begins: a job's process
//! only ever looks into caches.

use crate::config::{
    Data, Document, DocumentOrigin, Model, Origin, ReviewOrder, Settings, SteamReviews,
};
use crate::hub::Wanted;
use crate::steam::{Order, ReviewQuery};

/// Something that a run reads and that may have to be fetched.
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
    /// A document at an address.
    Document {
        /// The address.
        url: String,
        /// The hash of its content; without one it cannot be taken.
        sha256: Option<String>,
    },
    /// Reviews from Steam.
    Reviews(SteamReviews),
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

    /// The need of a document's table, if the document is at an address.
    pub(super) fn document(document: &Document) -> Option<Self> {
        match &document.origin {
            DocumentOrigin::Url(url) => Some(Self::Document {
                url: url.clone(),
                sha256: document.sha256.clone(),
            }),
            DocumentOrigin::Path(_) => None,
        }
    }

    /// The need of labelled texts, if they come from Steam.
    pub(super) fn data(data: &Data) -> Option<Self> {
        data.steam.clone().map(Self::Reviews)
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

/// What is asked of Steam for a table of the settings.
#[must_use]
pub fn review_query(reviews: &SteamReviews) -> ReviewQuery {
    ReviewQuery::new(
        reviews.app,
        &reviews.language,
        reviews.positive,
        reviews.negative,
    )
}

/// The order that a table of the settings asks for.
#[must_use]
pub fn review_order(order: ReviewOrder) -> Order {
    match order {
        ReviewOrder::Turns => Order::ByTurns,
        ReviewOrder::Class => Order::ByClass,
        ReviewOrder::Latest => Order::Latest,
    }
}

/// That reviews have to be fetched before anything can be said about them, if it is so.
pub(super) fn absent_reviews(data: &Data) -> Option<String> {
    let reviews = data.steam.as_ref().filter(|_| !data.path.is_file())?;
    Some(format!(
        "the reviews of game {} are not fetched yet, so they are not looked into",
        reviews.app
    ))
}
