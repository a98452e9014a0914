//! An MJPEG camera over HTTP that shows whatever picture the test gives it, about five times a second.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The camera and its handle.
#[derive(Clone)]
pub struct Camera {
    picture: Arc<Mutex<Vec<u8>>>,
    frozen: Arc<AtomicBool>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Camera {
    /// Starts a camera that shows `picture` (JPEG bytes).
    pub async fn start(picture: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let camera = Self {
            picture: Arc::new(Mutex::new(picture)),
            frozen: Arc::new(AtomicBool::new(false)),
            address: listener.local_addr().unwrap(),
        };
        let shown = camera.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shown = shown.clone();
                tokio::spawn(async move {
                    let _ = shown.serve(stream).await;
                });
            }
        });
        camera
    }
    async fn serve(self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).await?;
            request.push(byte[0]);
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n")
            .await?;
        let mut number = 0_u32;
        loop {
            let mut picture = self.picture.lock().unwrap().clone();
            if !self.frozen.load(Ordering::Relaxed) {
                // Sensor noise makes each frame of a living camera another file; bytes behind the end of
                // the image stand in for it.
                number += 1;
                picture.extend(number.to_be_bytes());
            }
            let head =
                format!("--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", picture.len());
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&picture).await?;
            stream.write_all(b"\r\n").await?;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    /// Shows another picture from now on.
    pub fn show(&self, picture: Vec<u8>) {
        *self.picture.lock().unwrap() = picture;
    }
    /// Sends byte-identical frames from now on, as a hung camera does, or lives again.
    pub fn freeze(&self, frozen: bool) {
        self.frozen.store(frozen, Ordering::Relaxed);
    }
    /// Its endpoint for a node file.
    pub fn endpoint(&self) -> String {
        format!("mjpeg://{}/stream", self.address)
    }
}
