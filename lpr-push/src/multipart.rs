//! A multipart body (RFC 2046, 5.1) that is there as a whole: parts by reference, bounded.

/// Most parts of a body.
pub const MOST_PARTS: usize = 16;
/// Longest header block of a part, bytes.
const MOST_HEAD: usize = 4_096;
/// Longest boundary (RFC 2046, 5.1.1).
const MOST_BOUNDARY: usize = 70;

/// One part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// Header lines as they came, without the empty one.
    pub head: &'a [u8],
    /// The content.
    pub body: &'a [u8],
}

impl Part<'_> {
    /// Whether a header or its parameter is there, any case: `application/xml`.
    pub fn has(&self, word: &str) -> bool {
        let word = word.as_bytes();
        self.head.windows(word.len().max(1)).any(|w| w.eq_ignore_ascii_case(word))
    }
    /// A parameter's value: `name`, `filename`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let head = std::str::from_utf8(self.head).ok()?;
        head.split([';', '\r', '\n']).find_map(|piece| {
            let (key, value) = piece.trim().split_once('=')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim_matches('"'))
        })
    }
}

/// The boundary of a `Content-Type`; none where it is no multipart.
pub fn boundary(content_type: &str) -> Option<&str> {
    let (kind, rest) = content_type.split_once(';')?;
    if !kind.trim().get(..10)?.eq_ignore_ascii_case("multipart/") {
        return None;
    }
    let found = rest.split(';').find_map(|p| {
        let (key, value) = p.trim().split_once('=')?;
        key.eq_ignore_ascii_case("boundary").then(|| value.trim_matches('"'))
    })?;
    (1..=MOST_BOUNDARY).contains(&found.len()).then_some(found)
}

/// The parts, in order. The last one may lack its end, as some cameras send it.
pub fn parts<'a>(boundary: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, String> {
    let mark = [b"--", boundary.as_bytes()].concat();
    let mut found = Vec::new();
    let mut rest = match find(body, &mark) {
        Some(at) => &body[at + mark.len()..],
        None => return Err("no part begins with the boundary of the Content-Type".to_owned()),
    };
    loop {
        if rest.starts_with(b"--") || rest.is_empty() {
            return Ok(found);
        }
        let start = match rest {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            _ => return Err("a boundary is not followed by a line end".to_owned()),
        };
        rest = &rest[start..];
        if found.len() == MOST_PARTS {
            return Err(format!("more than {MOST_PARTS} parts"));
        }
        let end = find(rest, &mark).unwrap_or(rest.len());
        let (whole, after) = rest.split_at(end);
        let (head, content) = split_head(whole)?;
        let content = content.strip_suffix(b"\n").unwrap_or(content);
        found.push(Part { head, body: content.strip_suffix(b"\r").unwrap_or(content) });
        rest = after.get(mark.len()..).unwrap_or_default();
    }
}

fn split_head(whole: &[u8]) -> Result<(&[u8], &[u8]), String> {
    if let Some(body) = whole.strip_prefix(b"\r\n") {
        return Ok((b"", body));
    }
    let near = &whole[..whole.len().min(MOST_HEAD)];
    let ends = [(b"\r\n\r\n".as_slice(), 4), (b"\n\n".as_slice(), 2)];
    let end = ends.iter().filter_map(|(e, n)| find(near, e).map(|at| (at, *n))).min();
    match end {
        Some((at, n)) => Ok((&whole[..at], &whole[at + n..])),
        None => Err(format!("a part without an end of its header within {MOST_HEAD} bytes")),
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    let first = *what.first()?;
    let mut from = 0;
    while let Some(step) = bytes.get(from..)?.iter().position(|b| *b == first) {
        let at = from + step;
        if bytes[at..].starts_with(what) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}
