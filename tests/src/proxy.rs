//! A TCP proxy in front of a device that can turn hostile: garbage, silence, refusal.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the proxy behaves towards new and standing connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Passes bytes through.
    Honest,
    /// Answers with pseudo-random bytes, whatever it hears.
    Garbage,
    /// Takes connections and says nothing.
    Silent,
    /// Closes every connection at once.
    Closed,
}

/// The proxy's handle.
pub struct Proxy {
    mood: watch::Sender<Mood>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Proxy {
    /// Starts a proxy in front of `target`; without one, `Honest` closes.
    pub async fn start(target: Option<SocketAddr>, mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (mood, watched) = watch::channel(mood);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut watched = watched.clone();
                tokio::spawn(async move {
                    let mood = *watched.borrow_and_update();
                    // A change of mood ends every connection of the old one.
                    tokio::select! {
                        _ = watched.changed() => {}
                        () = serve(stream, target, mood) => {}
                    }
                });
            }
        });
        Self { mood, address }
    }
    /// Changes the mood; standing connections end.
    pub fn turn(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }
}

async fn serve(mut stream: TcpStream, target: Option<SocketAddr>, mood: Mood) {
    match mood {
        Mood::Honest => {
            if let Some(target) = target
                && let Ok(mut device) = TcpStream::connect(target).await
            {
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut device).await;
            }
        }
        Mood::Garbage => {
            let state = Arc::new(std::sync::atomic::AtomicU64::new(0x9e37_79b9_7f4a_7c15));
            let mut heard = [0; 512];
            loop {
                let noise: Vec<u8> = (0..700)
                    .map(|_| {
                        // SplitMix64, fixed seed: the same noise on every run.
                        let x = state.fetch_add(0x9e37_79b9_7f4a_7c15, std::sync::atomic::Ordering::Relaxed);
                        let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                        (x ^ (x >> 27)).to_le_bytes()[3]
                    })
                    .collect();
                if stream.write_all(&noise).await.is_err() {
                    return;
                }
                let _ = tokio::time::timeout(Duration::from_millis(100), stream.read(&mut heard)).await;
            }
        }
        Mood::Silent => std::future::pending().await,
        Mood::Closed => {}
    }
}
