//! The directory of an uncompressed zip archive (APPNOTE.TXT 6.3.9, zip64 included), as much of it as PyTorch writes.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

/// The largest directory that is read, far above any checkpoint's.
const LARGEST_DIRECTORY: u64 = 64 << 20;

/// Where the files of an archive lie.
#[derive(Debug)]
pub(super) struct Archive {
    size: u64,
    members: BTreeMap<String, Member>,
}

#[derive(Debug)]
struct Member {
    /// Where its own header begins.
    header: u64,
    size: u64,
    method: u16,
    encrypted: bool,
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
        let (directory, count) = directory(file, size)?;
        if directory.size > LARGEST_DIRECTORY {
            return Err(format!("its directory takes {} bytes", directory.size));
        }
        let bytes = take(file, directory.start, directory.size, size)?;
        let mut rest = Fields(&bytes);
        let mut members = BTreeMap::new();
        for _ in 0..count {
            let (name, member) = member(&mut rest).ok_or("its directory breaks off")?;
            if members.insert(name.clone(), member).is_some() {
                return Err(format!("it holds `{name}` twice"));
            }
        }
        Ok(Self { size, members })
    }

    /// Names of all files.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }

    /// Where a file's content lies; `None` if there is no such file.
    pub(super) fn find(
        &self,
        file: &mut (impl Read + Seek),
        name: &str,
    ) -> Result<Option<Stretch>, String> {
        let Some(member) = self.members.get(name) else {
            return Ok(None);
        };
        if member.encrypted || member.method != 0 {
            return Err(format!(
                "`{name}` is compressed or encrypted, which PyTorch's files never are"
            ));
        }
        let header = take(file, member.header, 30, self.size)?;
        let mut fields = Fields(&header);
        let lengths = (fields.u32() == Some(0x0403_4b50))
            .then(|| {
                fields.skip(22)?;
                Some(u64::from(fields.u16()?) + u64::from(fields.u16()?))
            })
            .flatten()
            .ok_or_else(|| format!("`{name}` is not where its directory says"))?;
        let start = member.header + 30 + lengths;
        match start.checked_add(member.size) {
            Some(end) if end <= self.size => Ok(Some(Stretch {
                start,
                size: member.size,
            })),
            _ => Err(format!(
                "`{name}` claims {} bytes, which the file does not have",
                member.size
            )),
        }
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
            "it is {size} bytes long, but something is said to lie at {start}"
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

/// The stretch of the central directory and the number of its entries.
fn directory(file: &mut (impl Read + Seek), size: u64) -> Result<(Stretch, u64), String> {
    const END: usize = 22;
    const NO_END: &str = "it has no directory at its end, so it is cut short or no zip archive";
    // The end record may be followed by a comment.
    let length = size.min(END as u64 + 0xffff);
    let tail = take(file, size - length, length, size)?;
    let position = (0..(tail.len() + 1).saturating_sub(END))
        .rev()
        .find(|&at| {
            let mut fields = Fields(&tail[at..]);
            fields.u32() == Some(0x0605_4b50)
                && fields.skip(16).and_then(|()| fields.u16()).map(usize::from)
                    == Some(tail.len() - at - END)
        })
        .ok_or(NO_END)?;
    let mut end = Fields(&tail[position..]);
    let plain = (|| {
        end.skip(10)?;
        let count = u64::from(end.u16()?);
        let size = u64::from(end.u32()?);
        let start = u64::from(end.u32()?);
        Some((Stretch { start, size }, count))
    })();
    let plain = plain.ok_or(NO_END)?;

    // Archives that may grow beyond 4 GiB have a second, wider record, and before the end a pointer to it.
    let end = size - length + position as u64;
    let Some(locator) = end.checked_sub(20) else {
        return Ok(plain);
    };
    let locator = take(file, locator, 20, size)?;
    let mut fields = Fields(&locator);
    if fields.u32() != Some(0x0706_4b50) {
        return Ok(plain);
    }
    let wide = fields
        .skip(4)
        .and_then(|()| fields.u64())
        .ok_or("its directory breaks off")?;
    let wide = take(file, wide, 56, size)?;
    let mut fields = Fields(&wide);
    let wide = (fields.u32() == Some(0x0606_4b50))
        .then(|| {
            fields.skip(28)?;
            let count = fields.u64()?;
            let size = fields.u64()?;
            let start = fields.u64()?;
            Some((Stretch { start, size }, count))
        })
        .flatten();
    wide.ok_or_else(|| "its directory is not where its end says".to_owned())
}

fn member(fields: &mut Fields<'_>) -> Option<(String, Member)> {
    if fields.u32()? != 0x0201_4b50 {
        return None;
    }
    fields.skip(4)?;
    let flags = fields.u16()?;
    let method = fields.u16()?;
    fields.skip(8)?;
    let stored = u64::from(fields.u32()?);
    let mut size = u64::from(fields.u32()?);
    let [name, extra, comment] = [fields.u16()?, fields.u16()?, fields.u16()?].map(usize::from);
    fields.skip(8)?;
    let mut header = u64::from(fields.u32()?);
    let name = String::from_utf8(fields.bytes(name)?.to_vec()).ok()?;
    let mut extra = Fields(fields.bytes(extra)?);
    fields.skip(comment)?;
    while let (Some(kind), Some(length)) = (extra.u16(), extra.u16()) {
        let mut content = Fields(extra.bytes(length.into())?);
        if kind != 1 {
            continue;
        }
        // Only the fields that did not fit are here, in this order.
        for (narrow, wide) in [(size, Some(&mut size)), (stored, None)] {
            if narrow == 0xffff_ffff {
                let value = content.u64()?;
                if let Some(wide) = wide {
                    *wide = value;
                }
            }
        }
        if header == 0xffff_ffff {
            header = content.u64()?;
        }
    }
    let encrypted = flags & 1 != 0;
    Some((
        name,
        Member {
            header,
            size,
            method,
            encrypted,
        },
    ))
}

/// Little-endian fields, one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.bytes(count).map(|_| ())
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.bytes(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?))
    }
}
