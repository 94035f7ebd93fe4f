//! What the hub says about a repository: its commit, its files with sizes and hashes, and the facts
//! that people ask for.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::sum::Sum;

/// `GET /api/models/{id}/revision/{revision}?blobs=true`. Any field may be absent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listing {
    #[serde(default)]
    pub(super) id: String,
    pub(super) sha: Option<String>,
    pub(super) author: Option<String>,
    pub(super) created_at: Option<String>,
    pub(super) last_modified: Option<String>,
    pub(super) downloads: Option<u64>,
    pub(super) likes: Option<u64>,
    #[serde(default)]
    pub(super) gated: Value,
    #[serde(default)]
    pub(super) private: bool,
    #[serde(rename = "pipeline_tag")]
    pub(super) pipeline_tag: Option<String>,
    #[serde(rename = "library_name")]
    pub(super) library_name: Option<String>,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    pub(super) safetensors: Option<SafetensorsSummary>,
    #[serde(default)]
    pub(super) siblings: Vec<Sibling>,
}

/// What the hub says about a model in general. It leaves out what it does not know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// The author.
    pub author: Option<String>,
    /// The task it is for.
    pub task: Option<String>,
    /// The library it is for.
    pub library: Option<String>,
    /// The licence's short name.
    pub licence: Option<String>,
    /// Downloads in the last thirty days.
    pub downloads: Option<u64>,
    /// Likes.
    pub likes: Option<u64>,
    /// When it was made, as the hub writes times.
    pub created: Option<String>,
    /// When it was changed last.
    pub modified: Option<String>,
    /// Whether access has to be asked for.
    pub gated: bool,
    /// Whether it is private.
    pub private: bool,
    /// All its tags.
    pub tags: Vec<String>,
}

/// Numbers of parameters that the hub has counted.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct SafetensorsSummary {
    pub(super) total: Option<u64>,
}

/// One file.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sibling {
    pub(super) rfilename: String,
    pub(super) size: Option<u64>,
    pub(super) blob_id: Option<String>,
    pub(super) lfs: Option<Large>,
}

/// What the hub adds for large files.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Large {
    pub(super) sha256: Option<String>,
    pub(super) size: Option<u64>,
}

impl Sibling {
    /// The file's hash, which is its blob's name: of large files the SHA-256, of others git's.
    pub(super) fn sum(&self) -> Option<Sum> {
        let name = match &self.lfs {
            Some(large) => large.sha256.as_deref(),
            None => self.blob_id.as_deref(),
        };
        Sum::from_name(name?)
    }

    pub(super) fn bytes(&self) -> Option<u64> {
        self.lfs.as_ref().and_then(|large| large.size).or(self.size)
    }
}

impl Listing {
    pub(super) fn file(&self, name: &str) -> Option<&Sibling> {
        self.siblings.iter().find(|file| file.rfilename == name)
    }

    /// Whether access has to be asked for: `false`, `"auto"` or `"manual"`.
    pub(super) fn is_gated(&self) -> bool {
        !matches!(self.gated, Value::Null | Value::Bool(false))
    }

    /// What it says about the model in general.
    pub(super) fn facts(&self) -> Facts {
        let licence = self
            .tags
            .iter()
            .find_map(|tag| tag.strip_prefix("license:"));
        Facts {
            author: self.author.clone(),
            task: self.pipeline_tag.clone(),
            library: self.library_name.clone(),
            licence: licence.map(str::to_owned),
            downloads: self.downloads,
            likes: self.likes,
            created: self.created_at.clone(),
            modified: self.last_modified.clone(),
            gated: self.is_gated(),
            private: self.private,
            tags: self.tags.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_and_sizes_of_large_files_are_their_own() {
        let git = "ce013625030ba8dba906f756967f9e9ca394464a";
        let sha = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        let text = format!(
            r#"{{"id":"o/m","gated":"auto","tags":["license:mit"],"siblings":[
              {{"rfilename":"a","size":6,"blobId":"{git}"}},
              {{"rfilename":"b","size":134,"blobId":"{git}","lfs":{{"sha256":"{sha}","size":6,"pointerSize":134}}}},
              {{"rfilename":"c"}}]}}"#
        );
        let listing: Listing = serde_json::from_str(&text).unwrap();
        let file = |name| listing.file(name).unwrap();
        assert_eq!(file("a").sum().unwrap().text(), git);
        assert_eq!(
            (file("b").sum().unwrap().text(), file("b").bytes()),
            (sha, Some(6))
        );
        assert_eq!((file("c").sum(), file("c").bytes()), (None, None));
        assert!(listing.is_gated() && !Listing::default().is_gated());
        assert_eq!(listing.facts().licence.as_deref(), Some("mit"));
    }
}
