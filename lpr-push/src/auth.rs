//! HTTP authentication as cameras offer it: Basic (RFC 7617) and Digest (RFC 7616, MD5 or SHA-256, `auth`).
//! Neither protects what travels; cameras belong on a network of their own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// What is told in the challenge.
pub const REALM: &str = "varco";
/// A nonce counts this long, milliseconds.
pub const NONCE_MS: i64 = 300_000;
/// Longest header that is read, bytes.
const MOST_HEADER: usize = 2_048;

/// How a camera proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// User and password in every request.
    Basic,
    /// Only a digest of them.
    Digest,
}

/// Who may push.
#[derive(Clone)]
pub struct Credentials {
    /// The scheme.
    pub scheme: Scheme,
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({:?}, {}, ...)", self.scheme, self.user)
    }
}

/// The parts of a request that are signed, and the moment.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// `POST`.
    pub method: &'a str,
    /// Path and query as requested.
    pub target: &'a str,
    /// The `Authorization` header, where there is one.
    pub authorization: Option<&'a str>,
    /// Wall clock, milliseconds since 1970.
    pub now_ms: i64,
}

/// Not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// The nonce was too old, all else held: the camera asks again by itself.
    pub stale: bool,
}

/// The answers and challenges of one listener; `secret` makes its nonces its own.
#[derive(Debug, Clone)]
pub struct Guard {
    secret: [u8; 32],
}

impl Guard {
    /// A guard with a random secret.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { secret }
    }

    /// The values of `WWW-Authenticate`, best first.
    pub fn challenges(&self, scheme: Scheme, now_ms: i64, stale: bool) -> Vec<String> {
        match scheme {
            Scheme::Basic => vec![format!("Basic realm=\"{REALM}\", charset=\"UTF-8\"")],
            Scheme::Digest => {
                let nonce = self.nonce(now_ms);
                let of = |algorithm: &str| {
                    format!(
                        "Digest realm=\"{REALM}\", qop=\"auth\", algorithm={algorithm}, nonce=\"{nonce}\"{}",
                        if stale { ", stale=true" } else { "" }
                    )
                };
                // Firmware takes the first that it knows, much of it only the last.
                vec![of("SHA-256"), of("MD5")]
            }
        }
    }

    /// Whether a request may come in.
    pub fn check(&self, credentials: &Credentials, asked: &Asked<'_>) -> Result<(), Denied> {
        let denied = Denied { stale: false };
        let header = asked.authorization.filter(|h| h.len() <= MOST_HEADER).ok_or(denied.clone())?;
        let (scheme, rest) = header.trim().split_once(' ').ok_or(denied.clone())?;
        match credentials.scheme {
            Scheme::Basic => {
                let told = STANDARD.decode(rest.trim()).unwrap_or_default();
                let wanted = format!("{}:{}", credentials.user, credentials.password);
                let holds = scheme.eq_ignore_ascii_case("basic") && same(&told, wanted.as_bytes());
                if holds { Ok(()) } else { Err(denied) }
            }
            Scheme::Digest if scheme.eq_ignore_ascii_case("digest") => {
                self.digest(credentials, asked, &fields(rest))
            }
            Scheme::Digest => Err(denied),
        }
    }

    fn digest(
        &self,
        credentials: &Credentials,
        asked: &Asked<'_>,
        told: &BTreeMap<String, String>,
    ) -> Result<(), Denied> {
        let denied = Denied { stale: false };
        let of = |name: &str| told.get(name).map_or("", String::as_str);
        let hash = match of("algorithm").to_ascii_uppercase().as_str() {
            "" | "MD5" => |text: String| hex::encode(Md5::digest(text)),
            "SHA-256" => |text: String| hex::encode(Sha256::digest(text)),
            _ => return Err(denied),
        };
        if of("username") != credentials.user || of("realm") != REALM || of("qop") != "auth" {
            return Err(denied);
        }
        // Some firmware signs the path without the query.
        let path = asked.target.split('?').next().unwrap_or_default();
        if of("uri") != asked.target && of("uri") != path {
            return Err(denied);
        }
        let secret = hash(format!("{}:{REALM}:{}", credentials.user, credentials.password));
        let request = hash(format!("{}:{}", asked.method, of("uri")));
        let (nonce, count, own) = (of("nonce"), of("nc"), of("cnonce"));
        let wanted = hash(format!("{secret}:{nonce}:{count}:{own}:auth:{request}"));
        if !same(wanted.as_bytes(), of("response").to_ascii_lowercase().as_bytes()) {
            return Err(denied);
        }
        match self.age_ms(nonce, asked.now_ms) {
            Some(0..=NONCE_MS) => Ok(()),
            Some(_) => Err(Denied { stale: true }),
            None => Err(denied),
        }
    }

    fn nonce(&self, now_ms: i64) -> String {
        format!("{now_ms:x}-{}", self.seal(now_ms))
    }
    /// How old a nonce of ours is; `None` where it is not of ours.
    fn age_ms(&self, nonce: &str, now_ms: i64) -> Option<i64> {
        let (time, seal) = nonce.split_once('-')?;
        let made = i64::from_str_radix(time, 16).ok()?;
        same(seal.as_bytes(), self.seal(made).as_bytes()).then(|| now_ms.saturating_sub(made))
    }
    fn seal(&self, made_ms: i64) -> String {
        let sealed = Sha256::new().chain_update(self.secret).chain_update(made_ms.to_be_bytes()).finalize();
        hex::encode(&sealed[..16])
    }
}

/// `key=value, key="value"`.
fn fields(text: &str) -> BTreeMap<String, String> {
    let (mut out, mut rest) = (BTreeMap::new(), text);
    while let Some((key, after)) = rest.split_once('=') {
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').map_or((after, ""), |(value, next)| (value, next)),
        };
        out.insert(key.trim_matches([' ', ',', '\t']).to_ascii_lowercase(), value.trim().to_owned());
        rest = next;
    }
    out
}

/// Compares without telling by its time where the difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |d, (x, y)| d | (x ^ y)) == 0
}
