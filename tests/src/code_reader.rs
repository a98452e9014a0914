//! A barcode reader on a TCP line: whatever is shown to it goes out as a line of text.

use std::net::SocketAddr;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::sync::broadcast;

/// The reader and its handle.
#[derive(Clone)]
pub struct CodeReader {
    shown: broadcast::Sender<String>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl CodeReader {
    /// Starts a reader that sees nothing.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shown, _) = broadcast::channel::<String>(8);
        let codes = shown.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut codes = codes.subscribe();
                tokio::spawn(async move {
                    while let Ok(text) = codes.recv().await {
                        if stream.write_all(format!("{text}\r\n").as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { shown, address }
    }
    /// Its endpoint for a node file.
    pub fn endpoint(&self) -> String {
        format!("tcp://{}?protocol=barcode", self.address)
    }
    /// A driver shows a code.
    pub fn show(&self, text: &str) {
        let _ = self.shown.send(text.to_owned());
    }
}
