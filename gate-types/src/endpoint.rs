//! Where a device is reached, as a URL.
//!
//! `tcp://HOST:PORT`, `llrp://HOST:PORT`, `modbus://HOST:PORT`, `mjpeg://HOST:PORT/PATH`,
//! `serial:///dev/ttyS0?baud=9600&parity=none&data=8&stop=1`; query keys are the protocol's own.

use std::collections::BTreeMap;

/// Why an endpoint's text is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("endpoint `{text}`: {why}")]
pub struct EndpointError {
    /// The text.
    pub text: String,
    /// What is wrong and what is expected.
    pub why: String,
}

/// A parsed endpoint: `scheme://host:port/path?key=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Scheme, small letters.
    pub scheme: String,
    /// Host; empty for serial ports and folders.
    pub host: String,
    /// Port; 0 where none was given.
    pub port: u16,
    /// Path with its leading slash, or empty.
    pub path: String,
    /// Query.
    pub query: BTreeMap<String, String>,
}

impl Endpoint {
    /// Parses a URL of the forms above.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let fail = |why: &str| EndpointError { text: text.chars().take(128).collect(), why: why.into() };
        let (scheme, rest) =
            text.split_once("://").ok_or_else(|| fail("expected SCHEME://HOST:PORT or SCHEME:///PATH"))?;
        let (place, query_text) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = match place.find('/') {
            Some(at) => (&place[..at], &place[at..]),
            None => (place, ""),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => {
                let number = port.parse::<u16>().ok().filter(|number| *number > 0);
                (host, number.ok_or_else(|| fail(&format!("`{port}` is not a port from 1 to 65535")))?)
            }
            None => (authority, 0),
        };
        let mut query = BTreeMap::new();
        for pair in query_text.split('&').filter(|p| !p.is_empty()) {
            let (key, value) =
                pair.split_once('=').ok_or_else(|| fail(&format!("`{pair}` is not key=value")))?;
            query.insert(key.to_owned(), value.to_owned());
        }
        Ok(Self {
            scheme: scheme.to_ascii_lowercase(),
            host: host.to_owned(),
            port,
            path: path.to_owned(),
            query,
        })
    }
    /// `host:port` for connecting.
    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_urls() {
        let e = Endpoint::parse("serial:///dev/ttyS0?protocol=toledo&baud=9600").unwrap();
        assert_eq!((e.scheme.as_str(), e.path.as_str()), ("serial", "/dev/ttyS0"));
        assert_eq!(e.query["protocol"], "toledo");
        let e = Endpoint::parse("llrp://10.0.0.5:5084").unwrap();
        assert_eq!(e.address(), "10.0.0.5:5084");
        for bad in ["", "10.0.0.5", "tcp://h:99999", "tcp://h:0", "tcp://h:1?x"] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
    }
}
