//! The files of an uncompressed zip archive, as PyTorch writes them.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use zip::{CompressionMethod, ZipArchive};

/// Files that an archive may have: a hundred times what the largest checkpoints do.
const MOST_FILES: u64 = 1 << 17;
/// Bytes that a file takes in the directory, its name aside.
const LEAST_ENTRY: u64 = 46;
/// What the directory ends with, and where in that the number of files stands.
const END: ([u8; 4], usize) = (*b"PK\x05\x06", 8);
/// The same of archives with more than 65,535 files.
const END_64: ([u8; 4], usize) = (*b"PK\x06\x06", 32);
/// How far from an archive's end both may lie: the longest comment, and all that stands between.
const TAIL: u64 = 65_535 + 128;

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
        check_claims(file, size)?;
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

/// Makes sure that the directory claims no more files than the archive has room for: the reader
/// takes memory for as many.
fn check_claims(file: &mut (impl Read + Seek), size: u64) -> Result<(), String> {
    let begin = size.saturating_sub(TAIL);
    let tail = take(file, begin, size - begin, size)?;
    let is_long = tail.windows(4).any(|four| four == END_64.0);
    let most = MOST_FILES.min(size / LEAST_ENTRY);
    // Wherever it looks as if the directory ended: the reader tries them all.
    for place in 0..tail.len() {
        let here = &tail[place..];
        let claimed = if here.starts_with(&END.0) {
            let two = here
                .get(END.1..)
                .and_then(|rest| rest.first_chunk())
                .copied();
            two.map(|two| u64::from(u16::from_le_bytes(two)))
        } else if here.starts_with(&END_64.0) {
            let eight = here.get(END_64.1..).and_then(|rest| rest.first_chunk());
            eight.copied().map(u64::from_le_bytes)
        } else {
            continue;
        };
        // The largest short number stands for one in the longer form, where there is such.
        let stands_for_another = |claimed| is_long && claimed == u64::from(u16::MAX);
        let claimed = claimed.filter(|&claimed| claimed > most && !stands_for_another(claimed));
        if let Some(claimed) = claimed {
            return Err(format!(
                "its directory claims {claimed} files, for which it has no room"
            ));
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// An archive of one stored file of two bytes, as `zip -0` writes it.
    fn sound() -> Vec<u8> {
        let local =
            b"PK\x03\x04\x0a\0\0\0\0\0\0\0\x21\0\x70\xb5\x6c\x7d\x02\0\0\0\x02\0\0\0\x01\0\0\0ahi";
        let central = b"PK\x01\x02\x1e\x03\x0a\0\0\0\0\0\0\0\x21\0\x70\xb5\x6c\x7d\x02\0\0\0\x02\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0a";
        let mut end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec();
        end.extend(u32::try_from(central.len()).unwrap().to_le_bytes());
        end.extend(u32::try_from(local.len()).unwrap().to_le_bytes());
        end.extend([0, 0]);
        [&local[..], &central[..], &end[..]].concat()
    }

    fn read(bytes: &[u8]) -> Result<Archive, String> {
        Archive::read(&mut Cursor::new(bytes), bytes.len() as u64)
    }

    #[test]
    fn a_directory_that_claims_more_files_than_fit_is_refused() {
        let sound = sound();
        let archive = read(&sound).unwrap();
        assert_eq!(archive.names().collect::<Vec<_>>(), ["a"]);
        let size = archive.find("a").unwrap().unwrap().size;
        assert_eq!(size, 2);
        let count = sound.len() - 14;
        for claimed in [200_u16, 65_534, 65_535] {
            let mut broken = sound.clone();
            broken[count..count + 2].copy_from_slice(&claimed.to_le_bytes());
            let error = read(&broken).unwrap_err();
            assert!(
                error.contains(&format!("claims {claimed} files")),
                "{error}"
            );
        }
    }
}
