//! `multipart/x-mixed-replace` streams of JPEGs, both ways: a parser that takes the HTTP answer in any
//! pieces, and a writer. The boundary comes from the answer's `Content-Type` (RFC 2046, 5.1.1);
//! `Content-Length` of a part is used where it is given.

/// Largest part, bytes.
pub const MOST_PART_BYTES: usize = 8 << 20;
/// Largest head of the answer or of a part, bytes.
const MOST_HEAD_BYTES: usize = 16 << 10;

/// A stream that cannot be used further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MjpegError {
    /// Not HTTP.
    #[error("the answer is not HTTP: `{0}`")]
    NotHttp(String),
    /// An HTTP status other than 200.
    #[error("HTTP status {0}, 200 expected")]
    Status(String),
    /// No multipart stream.
    #[error("content type `{0}`, multipart/x-mixed-replace with a boundary expected")]
    ContentType(String),
    /// A head without end.
    #[error("a header of more than {MOST_HEAD_BYTES} bytes")]
    Head,
    /// A part too large.
    #[error("a part of more than {MOST_PART_BYTES} bytes")]
    Part,
    /// Something else than a boundary where one must be.
    #[error("no boundary where one was expected")]
    Boundary,
    /// The stream's closing boundary.
    #[error("the camera ended the stream")]
    Ended,
}

#[derive(Debug)]
enum At {
    Answer,
    Boundary,
    PartHead,
    /// A body whose length is known.
    Body(usize),
    /// A body up to the next boundary; the bytes already searched.
    Open(usize),
    Broken(MjpegError),
}

/// Takes the bytes of an HTTP answer and gives the parts' bodies.
#[derive(Debug)]
pub struct Parser {
    at: At,
    buffer: Vec<u8>,
    start: usize,
    boundary: Vec<u8>,
}

impl Default for Parser {
    fn default() -> Self {
        Self::new()
    }
}

impl Parser {
    /// At the first byte of the answer.
    pub fn new() -> Self {
        Self { at: At::Answer, buffer: Vec::new(), start: 0, boundary: Vec::new() }
    }
    /// Adds bytes; call [`Parser::take`] until it gives `None` after each piece.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }
    /// The next whole part. After an error the same error comes again.
    pub fn take(&mut self) -> Result<Option<Vec<u8>>, MjpegError> {
        let result = self.advance();
        if let Err(e) = &result {
            self.at = At::Broken(e.clone());
        }
        result
    }

    fn advance(&mut self) -> Result<Option<Vec<u8>>, MjpegError> {
        loop {
            let rest = &self.buffer[self.start..];
            match &self.at {
                At::Broken(e) => return Err(e.clone()),
                At::Answer => {
                    let Some((head, used)) = head(rest)? else { return Ok(None) };
                    self.boundary = answer_boundary(&head)?;
                    self.start += used;
                    self.at = At::Boundary;
                }
                At::Boundary => {
                    let blank = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
                    let Some(end) = rest[blank..].iter().position(|b| *b == b'\n') else {
                        return if rest.len() > MOST_HEAD_BYTES { Err(MjpegError::Head) } else { Ok(None) };
                    };
                    let line = rest[blank..blank + end].trim_ascii_end();
                    let Some(tail) = line.strip_prefix(&self.boundary[..]) else {
                        return Err(MjpegError::Boundary);
                    };
                    match tail {
                        b"" => {}
                        b"--" => return Err(MjpegError::Ended),
                        _ => return Err(MjpegError::Boundary),
                    }
                    self.start += blank + end + 1;
                    self.at = At::PartHead;
                }
                At::PartHead => {
                    let Some((head, used)) = head(rest)? else { return Ok(None) };
                    self.start += used;
                    self.at = match field(&head, "content-length") {
                        Some(text) => match text.trim().parse::<usize>() {
                            Ok(n) if n <= MOST_PART_BYTES => At::Body(n),
                            Ok(_) | Err(_) => return Err(MjpegError::Part),
                        },
                        None => At::Open(0),
                    };
                }
                At::Body(n) => {
                    let Some(body) = rest.get(..*n) else { return Ok(None) };
                    let body = body.to_vec();
                    self.start += n;
                    self.at = At::Boundary;
                    return Ok(Some(body));
                }
                At::Open(searched) => {
                    let from = searched.saturating_sub(self.boundary.len() + 4);
                    let Some(at) = find(&rest[from..], &self.boundary).map(|p| p + from) else {
                        if rest.len() > MOST_PART_BYTES {
                            return Err(MjpegError::Part);
                        }
                        self.at = At::Open(rest.len());
                        return Ok(None);
                    };
                    let mut body = &rest[..at];
                    body = body.strip_suffix(b"\n").unwrap_or(body);
                    body = body.strip_suffix(b"\r").unwrap_or(body);
                    let body = body.to_vec();
                    self.start += at;
                    self.at = At::Boundary;
                    return Ok(Some(body));
                }
            }
        }
    }
}

/// The lines of a head and the bytes it takes, or `None` where its end has not come.
fn head(bytes: &[u8]) -> Result<Option<(Vec<String>, usize)>, MjpegError> {
    let mut lines = Vec::new();
    let mut from = 0;
    while let Some(n) = bytes[from..].iter().position(|b| *b == b'\n') {
        let line = bytes[from..from + n].trim_ascii_end();
        from += n + 1;
        if from > MOST_HEAD_BYTES {
            return Err(MjpegError::Head);
        }
        if line.is_empty() {
            return Ok(Some((lines, from)));
        }
        lines.push(String::from_utf8_lossy(line).into_owned());
    }
    if bytes.len() > MOST_HEAD_BYTES { Err(MjpegError::Head) } else { Ok(None) }
}

fn field<'a>(head: &'a [String], name: &str) -> Option<&'a str> {
    head.iter().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

fn answer_boundary(head: &[String]) -> Result<Vec<u8>, MjpegError> {
    let cut = |text: &str| text.chars().take(80).collect::<String>();
    let first = head.first().map_or("", String::as_str);
    let mut words = first.split_whitespace();
    if !words.next().is_some_and(|w| w.starts_with("HTTP/1.")) {
        return Err(MjpegError::NotHttp(cut(first)));
    }
    match words.next() {
        Some("200") => {}
        other => return Err(MjpegError::Status(cut(other.unwrap_or("missing")))),
    }
    let kind = field(head, "content-type").unwrap_or("");
    let wrong = || MjpegError::ContentType(cut(kind));
    let mut parts = kind.split(';');
    if !parts.next().is_some_and(|p| p.trim().eq_ignore_ascii_case("multipart/x-mixed-replace")) {
        return Err(wrong());
    }
    let name = parts
        .find_map(|p| {
            let (key, value) = p.split_once('=')?;
            key.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
        })
        .filter(|b| !b.is_empty() && b.len() <= 72)
        .ok_or_else(wrong)?;
    // Some cameras write the two leading hyphens into the parameter.
    let bare = name.strip_prefix("--").unwrap_or(name);
    Ok(format!("--{bare}").into_bytes())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    if wanted.is_empty() {
        return None;
    }
    let mut from = 0;
    while let Some(p) = bytes.get(from..)?.iter().position(|b| *b == wanted[0]) {
        if bytes[from + p..].starts_with(wanted) {
            return Some(from + p);
        }
        from += p + 1;
    }
    None
}

/// Writes such a stream.
#[derive(Debug, Clone)]
pub struct Writer {
    boundary: String,
}

impl Writer {
    /// A writer with this boundary: 1 to 70 letters, digits and hyphens (RFC 2046 allows more).
    pub fn new(boundary: &str) -> Option<Self> {
        let fits = (1..=70).contains(&boundary.len())
            && boundary.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        fits.then(|| Self { boundary: boundary.to_owned() })
    }
    /// The head of the HTTP answer.
    pub fn answer(&self) -> Vec<u8> {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary={}\r\n\
             Cache-Control: no-store\r\nConnection: close\r\n\r\n",
            self.boundary
        )
        .into_bytes()
    }
    /// One JPEG as a part.
    pub fn part(&self, jpeg: &[u8]) -> Vec<u8> {
        let mut out = format!(
            "--{}\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
            self.boundary,
            jpeg.len()
        )
        .into_bytes();
        out.extend_from_slice(jpeg);
        out.extend_from_slice(b"\r\n");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(parser: &mut Parser) -> Result<Vec<Vec<u8>>, MjpegError> {
        let mut out = Vec::new();
        while let Some(part) = parser.take()? {
            out.push(part);
        }
        Ok(out)
    }

    const OLD_CAMERA: &[u8] = b"HTTP/1.0 200 OK\nServer: cam\nContent-type: Multipart/X-Mixed-Replace; \
        boundary=\"--fr\"\n\n--fr\nContent-Type: image/jpeg\n\nAB--C\r\n\r\n--fr\nContent-Type: image/jpeg\n\nDE\n--fr\n";

    #[test]
    fn a_stream_without_lengths_and_with_bare_line_feeds_is_read() {
        let mut p = Parser::new();
        p.push(OLD_CAMERA);
        assert_eq!(all(&mut p).unwrap(), [b"AB--C\r\n".to_vec(), b"DE".to_vec()]);
    }

    #[test]
    fn each_fault_has_its_name() {
        for (wire, wanted) in [
            ("SSH-2.0-x\r\n\r\n", MjpegError::NotHttp("SSH-2.0-x".into())),
            ("HTTP/1.1 401 No\r\n\r\n", MjpegError::Status("401".into())),
            (
                "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n",
                MjpegError::ContentType("image/jpeg".into()),
            ),
        ] {
            let mut p = Parser::new();
            p.push(wire.as_bytes());
            assert_eq!(p.take(), Err(wanted.clone()));
            assert_eq!(p.take(), Err(wanted), "again");
        }
        let w = Writer::new("b").unwrap();
        let mut p = Parser::new();
        p.push(&w.answer());
        p.push(b"--b\r\nContent-Length: 99999999\r\n\r\n");
        assert_eq!(p.take(), Err(MjpegError::Part));
        let mut p = Parser::new();
        p.push(&w.answer());
        p.push(b"--b--\r\n");
        assert_eq!(p.take(), Err(MjpegError::Ended));
        let mut p = Parser::new();
        p.push(&[b'x'; MOST_HEAD_BYTES + 1]);
        assert_eq!(p.take(), Err(MjpegError::Head));
        assert!(Writer::new("").is_none() && Writer::new("a b").is_none());
    }

    #[test]
    fn an_open_part_is_bounded() {
        let mut p = Parser::new();
        p.push(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=q\r\n\r\n--q\r\n\r\n");
        let piece = vec![b'-'; 1 << 20];
        let mut result = Ok(None);
        for _ in 0..10 {
            p.push(&piece);
            result = p.take();
        }
        assert_eq!(result, Err(MjpegError::Part));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_in_any_pieces(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 1..5),
            cuts in prop::collection::vec(1usize..97, 1..30),
            lengths in any::<bool>(),
        ) {
            let w = Writer::new("varco-7f3a9c").unwrap();
            let mut wire = w.answer();
            for part in &parts {
                let mut one = w.part(part);
                if !lengths {
                    let text = format!("Content-Length: {}\r\n", part.len());
                    let at = find(&one, text.as_bytes()).unwrap();
                    one.drain(at..at + text.len());
                }
                wire.extend(one);
            }
            wire.extend_from_slice(b"--varco-7f3a9c\r\n");
            let mut p = Parser::new();
            let mut got = Vec::new();
            let (mut rest, mut i) = (&wire[..], 0);
            while !rest.is_empty() {
                let n = cuts[i % cuts.len()].min(rest.len());
                p.push(&rest[..n]);
                rest = &rest[n..];
                i += 1;
                got.extend(all(&mut p).unwrap());
            }
            prop_assert_eq!(got, parts);
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut p = Parser::new();
            p.push(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=q\r\n\r\n--q\r\n");
            p.push(&bytes);
            let _ = all(&mut p);
        }
    }
}
