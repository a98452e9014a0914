//! Byte lines over TCP or a serial port.

use gate_types::endpoint::Endpoint;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_serial::{DataBits, Parity, SerialPortBuilderExt as _, StopBits};

/// A line of bytes both ways.
pub trait Line: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// Longest wait for a connection.
const CONNECT_MS: u64 = 3_000;

/// Opens a byte line: a serial port where the endpoint names a path and no host (`serial:///dev/ttyS0`,
/// `modbus-rtu:///dev/ttyS0`), TCP otherwise. A serial port that
/// answers a read with 0 bytes is lost: callers treat `Ok(0)` as an error.
pub async fn connect_line(endpoint: &Endpoint) -> std::io::Result<Box<dyn Line>> {
    if endpoint.host.is_empty() {
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
