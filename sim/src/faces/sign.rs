//! The driver's text sign: shows what it is sent, and its own words when it hears nothing.

use super::{accept, listen};
use crate::world::bay::Bay;
use barrier_io::sign::{ACK, Decoder, FALL_BACK_MS};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Serves one sign until the task is dropped; gives its address.
pub async fn start(bay: Arc<Bay>) -> std::io::Result<SocketAddr> {
    let (listener, address) = listen().await?;
    tokio::spawn(async move {
        loop {
            let stream = accept(&listener).await;
            let bay = bay.clone();
            tokio::spawn(async move {
                if let Err(error) = client(stream, &bay).await {
                    tracing::debug!(%error, lane = %bay.lane, "the sign's client left");
                }
            });
        }
    });
    Ok(address)
}

/// Serves one line of a sign.
pub async fn client<L: AsyncRead + AsyncWrite + Unpin>(mut stream: L, bay: &Bay) -> std::io::Result<()> {
    let mut decoder = Decoder::new();
    let mut bytes = [0; 1024];
    loop {
        let n = stream.read(&mut bytes).await?;
        if n == 0 {
            return Ok(());
        }
        for text in decoder.push(&bytes[..n]) {
            match text {
                Ok(lines) => {
                    {
                        let mut panel = bay.panel();
                        panel.sign = lines;
                        panel.sign_heard = Some(Instant::now());
                    }
                    stream.write_all(&[ACK]).await?;
                }
                Err(error) => tracing::debug!(%error, lane = %bay.lane, "the sign received garbage"),
            }
        }
    }
}

/// What the sign shows now.
pub fn shown(bay: &Bay) -> Vec<String> {
    let panel = bay.panel();
    match panel.sign_heard {
        Some(at) if at.elapsed().as_millis() < u128::from(FALL_BACK_MS) => panel.sign.clone(),
        Some(_) | None => vec!["ATTENDERE".to_owned(), "WAIT".to_owned()],
    }
}
