//! The files of an uncompressed zip archive, as PyTorch writes them.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use zip::{CompressionMethod, ZipArchive};

/// Where the files of an archive lie.
#[derive(Debug)]
pub(super) struct Archive {
    members: BTreeMap<String, Result<Stretch, String>>,
}

/// A stretch of bytes of the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) start: u64,
    pub(super) size: u64,
}

impl Archive {
    /// Reads the directory of an archive of `size` bytes.
    pub(super) fn read(file: &mut (impl Read + Seek), size: u64) -> Result<Self, String> {
        let mut archive = ZipArchive::new(file).map_err(|error| error.to_string())?;
        let mut members = BTreeMap::new();
        for index in 0..archive.len() {
            let member = archive
                .by_index_raw(index)
                .map_err(|error| error.to_string())?;
            let name = member.name().to_owned();
            let stretch = Stretch {
                start: member.data_start().unwrap_or(size),
                size: member.size(),
            };
            let stretch = if member.encrypted() || member.compression() != CompressionMethod::Stored
            {
                Err(format!(
                    "`{name}` is compressed or encrypted, which PyTorch's files never are"
                ))
            } else if stretch
                .start
                .checked_add(stretch.size)
                .is_none_or(|end| end > size)
            {
                Err(format!(
                    "`{name}` claims {} bytes, which the file does not have",
                    stretch.size
                ))
            } else {
                Ok(stretch)
            };
            members.insert(name, stretch);
        }
        Ok(Self { members })
    }

    /// Names of all files.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }

    /// Where a file's content lies; `None` if there is no such file.
    pub(super) fn find(&self, name: &str) -> Result<Option<Stretch>, String> {
        self.members.get(name).cloned().transpose()
    }
}

/// Reads `count` bytes from `start` of a file of `size` bytes.
pub(super) fn take(
    file: &mut (impl Read + Seek),
    start: u64,
    count: u64,
    size: u64,
) -> Result<Vec<u8>, String> {
    if start.checked_add(count).is_none_or(|end| end > size) {
        return Err(format!(
            "it is {size} bytes long, but its directory points to {start}"
        ));
    }
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(start))
        .and_then(|_| file.take(count).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 == count {
        Ok(bytes)
    } else {
        Err("it became shorter while it was read".to_owned())
    }
}
