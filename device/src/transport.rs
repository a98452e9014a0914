//! Endpoints as URLs, and byte lines over TCP or a serial port.
//!
//! `tcp://HOST:PORT`, `llrp://HOST:PORT`, `modbus://HOST:PORT`, `mjpeg://HOST:PORT/PATH`,
//! `serial:///dev/ttyS0?baud=9600&parity=none&data=8&stop=1`; query keys are the protocol's own.

use std::collections::BTreeMap;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_serial::{DataBits, Parity, SerialPortBuilderExt as _, StopBits};

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
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| fail("expected SCHEME://..., such as tcp://10.0.0.5:4001"))?;
        let (place, query_text) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = match place.find('/') {
            Some(at) => (&place[..at], &place[at..]),
            None => (place, ""),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => {
                (host, port.parse::<u16>().map_err(|_| fail("the port is not a number from 0 to 65535"))?)
            }
            None => (authority, 0),
        };
        let mut query = BTreeMap::new();
        for pair in query_text.split('&').filter(|p| !p.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or_else(|| fail("a query part is not key=value"))?;
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

/// A line of bytes both ways.
pub trait Line: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// Longest wait for a connection.
const CONNECT_MS: u64 = 3_000;

/// Opens a byte line for `tcp` (and other TCP schemes) or `serial` endpoints. A serial port that
/// answers a read with 0 bytes is lost: callers treat `Ok(0)` as an error.
pub async fn connect_line(endpoint: &Endpoint) -> std::io::Result<Box<dyn Line>> {
    if endpoint.scheme == "serial" {
        return open_serial(endpoint);
    }
    let connect = TcpStream::connect(endpoint.address());
    let stream = tokio::time::timeout(Duration::from_millis(CONNECT_MS), connect)
        .await
        .map_err(|_| std::io::Error::new(std::io::ErrorKind::TimedOut, "no connection within 3 s"))??;
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}

fn open_serial(endpoint: &Endpoint) -> std::io::Result<Box<dyn Line>> {
    let invalid = |what: String| std::io::Error::new(std::io::ErrorKind::InvalidInput, what);
    let get =
        |key: &str, default: &str| endpoint.query.get(key).cloned().unwrap_or_else(|| default.to_owned());
    let baud = get("baud", "9600").parse::<u32>().map_err(|_| invalid("baud is not a number".into()))?;
    let parity = match get("parity", "none").as_str() {
        "none" => Parity::None,
        "even" => Parity::Even,
        "odd" => Parity::Odd,
        other => return Err(invalid(format!("parity `{other}`: none, even or odd"))),
    };
    let data = match get("data", "8").as_str() {
        "7" => DataBits::Seven,
        "8" => DataBits::Eight,
        other => return Err(invalid(format!("data `{other}`: 7 or 8"))),
    };
    let stop = match get("stop", "1").as_str() {
        "1" => StopBits::One,
        "2" => StopBits::Two,
        other => return Err(invalid(format!("stop `{other}`: 1 or 2"))),
    };
    let port = tokio_serial::new(endpoint.path.clone(), baud)
        .parity(parity)
        .data_bits(data)
        .stop_bits(stop)
        .open_native_async()
        .map_err(std::io::Error::from)?;
    Ok(Box::new(port))
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
        for bad in ["", "10.0.0.5", "tcp://h:99999", "tcp://h:1?x"] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
    }
}
