//! ZIP archives without compression (PKWARE APPNOTE 6.3.10, method 0), which every operating system opens.
//! The reader takes only what the writer writes: one meaning for every byte of the file.

/// Why a file is not such an archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZipError {
    /// Not an archive as this program writes it.
    #[error("not an archive as varco writes it: {0}")]
    Shape(&'static str),
    /// A member's checksum does not hold.
    #[error("member `{0}` is damaged: its checksum does not hold")]
    Checksum(String),
}

const LOCAL: u32 = 0x0403_4b50;
const ENTRY: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// Version 2.0; names are UTF-8; stored; 1980-01-01 00:00.
const COMMON: [u8; 10] = [20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0];
/// Bytes of a local header, a directory entry, the end record, without names.
const LOCAL_LEN: usize = 30;
const ENTRY_LEN: usize = 46;
const END_LEN: usize = 22;
/// Most members that are read.
const MOST_MEMBERS: usize = 4_096;

const CRC: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let mut c = n as u32;
        let mut k = 0;
        while k < 8 {
            c = if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 };
            k += 1;
        }
        table[n] = c;
        n += 1;
    }
    table
}

/// CRC-32 (IEEE 802.3).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        let slot = (crc ^ u32::from(*byte)) & 0xff;
        CRC.get(slot as usize).copied().unwrap_or_default() ^ (crc >> 8)
    };
    !bytes.iter().fold(!0, step)
}

/// Writes members in order; none where one is too large for the format (4 GiB, 65,535 members).
pub fn write_zip(members: &[(String, Vec<u8>)]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for (name, bytes) in members {
        let offset = u32::try_from(out.len()).ok()?;
        let (size, length) = (u32::try_from(bytes.len()).ok()?, u16::try_from(name.len()).ok()?);
        let mut common = COMMON.to_vec();
        common.extend(crc32(bytes).to_le_bytes());
        common.extend(size.to_le_bytes());
        common.extend(size.to_le_bytes());
        common.extend(length.to_le_bytes());
        common.extend([0, 0]);
        out.extend(LOCAL.to_le_bytes());
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(bytes);
        directory.extend(ENTRY.to_le_bytes());
        directory.extend([20, 0]);
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let at = u32::try_from(out.len()).ok()?;
    let (size, count) = (u32::try_from(directory.len()).ok()?, u16::try_from(members.len()).ok()?);
    out.extend(directory);
    out.extend(END.to_le_bytes());
    out.extend([0; 4]);
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(size.to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0, 0]);
    Some(out)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let two: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(usize::from(u16::from_le_bytes(two)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(u32::from_le_bytes(four))
}

fn size_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32_at(bytes, at)?).ok()
}

/// Reads all members: stored, contiguous, each once, with the directory agreeing to the byte.
pub fn read_zip(bytes: &[u8]) -> Result<Vec<(String, &[u8])>, ZipError> {
    let shape = |what| ZipError::Shape(what);
    let end = bytes.len().checked_sub(END_LEN).ok_or(shape("too short"))?;
    if u32_at(bytes, end) != Some(END) {
        return Err(shape("no end record at the end"));
    }
    let count = u16_at(bytes, end + 10).ok_or(shape("end record"))?;
    let directory = size_at(bytes, end + 16).ok_or(shape("end record"))?;
    if count > MOST_MEMBERS {
        return Err(shape("too many members"));
    }
    let (mut members, mut local, mut listed) = (Vec::with_capacity(count), 0_usize, directory);
    for _ in 0..count {
        let member = member(bytes, local, listed).ok_or(shape("a member and its directory entry differ"))?;
        let Member { name, content, next_local, next_listed, crc } = member;
        if members.iter().any(|(known, _)| *known == name) {
            return Err(shape("a member stands in it twice"));
        }
        if crc32(content) != crc {
            return Err(ZipError::Checksum(name));
        }
        members.push((name, content));
        (local, listed) = (next_local, next_listed);
    }
    // Written again it must be the same file: nothing stands between, before or behind the members.
    let size = listed.checked_sub(directory).ok_or(shape("directory"))?;
    if local != directory || listed != end || size_at(bytes, end + 12) != Some(size) {
        return Err(shape("bytes that belong to no member"));
    }
    Ok(members)
}

struct Member<'a> {
    name: String,
    content: &'a [u8],
    crc: u32,
    next_local: usize,
    next_listed: usize,
}

fn member(bytes: &[u8], local: usize, listed: usize) -> Option<Member<'_>> {
    if u32_at(bytes, local)? != LOCAL || u32_at(bytes, listed)? != ENTRY {
        return None;
    }
    // From the version on, header and directory entry are the same 26 bytes.
    let common = bytes.get(local + 4..local + LOCAL_LEN)?;
    if common != bytes.get(listed + 6..listed + 32)? || common.get(..10)? != COMMON {
        return None;
    }
    let (crc, size, length) = (u32_at(common, 10)?, size_at(common, 14)?, u16_at(common, 22)?);
    let plain = size_at(common, 18)? == size && u16_at(common, 24)? == 0;
    let rest = bytes.get(listed + 32..listed + 42)?;
    if !plain || rest.iter().any(|b| *b != 0) || size_at(bytes, listed + 42)? != local {
        return None;
    }
    let name_at = local + LOCAL_LEN;
    let content_at = name_at.checked_add(length)?;
    let next_local = content_at.checked_add(size)?;
    let name = bytes.get(name_at..content_at)?;
    if name != bytes.get(listed + ENTRY_LEN..listed + ENTRY_LEN + length)? {
        return None;
    }
    Some(Member {
        name: String::from_utf8(name.to_vec()).ok()?,
        content: bytes.get(content_at..next_local)?,
        crc,
        next_local,
        next_listed: listed + ENTRY_LEN + length,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_every_changed_byte_is_refused() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926, "the check value of CRC-32/ISO-HDLC");
        let members =
            vec![("a.txt".to_owned(), b"hello".to_vec()), ("images/b.jpg".to_owned(), vec![0, 1, 2])];
        let archive = write_zip(&members).unwrap();
        let read: Vec<_> =
            read_zip(&archive).unwrap().into_iter().map(|(name, bytes)| (name, bytes.to_vec())).collect();
        assert_eq!(read, members);
        for at in 0..archive.len() {
            let mut changed = archive.clone();
            changed[at] ^= 1;
            // The version that made it, the disk numbers and the member counts of one disk tell nothing.
            if let Ok(read) = read_zip(&changed) {
                let same = read.iter().zip(&members).all(|(r, m)| r.0 == m.0 && r.1 == m.1);
                assert!(same && read.len() == members.len(), "byte {at}");
            }
        }
        for cut in 0..archive.len() {
            assert!(read_zip(&archive[..cut]).is_err());
        }
    }
}
