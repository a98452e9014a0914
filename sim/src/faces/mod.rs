//! The devices of the port as real servers: nothing here knows the gate's rules.

pub mod broker;
pub mod camera;
pub mod io;
pub mod pty;
pub mod reader;
pub mod scale;
pub mod sign;

use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};

/// A listener on a free port of this machine.
pub async fn listen() -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// The next client; a failed accept (no descriptors left) is tried again a little later.
pub async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY could not be set");
                }
                return stream;
            }
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}
