//! `varco-sim device`: one device alone on a real socket or pseudo terminal, driven by a small TOML file and
//! by lines on standard input.

mod camera;
mod io;
mod llrp;
mod osdp;
mod scale;
mod sign;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use serde::de::DeserializeOwned;
use std::io::BufRead as _;
use std::path::PathBuf;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Lines of the keyboard that may wait.
const KEYS: usize = 16;

/// The devices.
#[derive(Debug, Subcommand)]
pub enum DeviceFace {
    /// An LLRP reader with a few tags in its field (keys: `add EPC [ANTENNA [RSSI]]`, `remove EPC`, `clear`)
    Llrp(Face),
    /// A weighing indicator (keys: a number of kilograms, `motion on|off`, `over`, `under`, `unzeroed`)
    Scale(Face),
    /// A lane block by Modbus TCP, on a pty by RTU (keys: `NAME on|off` of an input, `freeze`, `thaw`)
    Io(Face),
    /// An MJPEG camera with a drawn truck (keys: `moving`, `frozen`, `black`, `burnt`, `noise`, `turned`, `covered`)
    Camera(Face),
    /// A badge reader by OSDP (keys: `badge BITS HEX`, `tamper on|off`)
    Osdp(Face),
    /// A driver's text sign (prints what it shows)
    Sign(Face),
}

/// Where a device is served and what it is.
#[derive(Debug, Args)]
pub struct Face {
    /// TOML with the device's settings; its defaults where absent
    file: Option<PathBuf>,
    /// ADDRESS:PORT; port 0 takes a free one
    #[arg(long, conflicts_with = "pty")]
    listen: Option<String>,
    /// A pseudo terminal instead of TCP
    #[arg(long)]
    pty: bool,
}

/// Where a device is to be found.
enum Place {
    Tcp(TcpListener),
    Pty,
}

/// Serves one device until Ctrl-C. What it is reached by is printed first, as one JSON object.
pub async fn serve(face: DeviceFace) -> Result<()> {
    let keys = keyboard()?;
    let served = async {
        match face {
            DeviceFace::Llrp(face) => {
                llrp::serve(face.settings()?, face.place("127.0.0.1:5084").await?, keys).await
            }
            DeviceFace::Scale(face) => {
                scale::serve(face.settings()?, face.place("127.0.0.1:4001").await?, keys).await
            }
            DeviceFace::Io(face) => {
                io::serve(face.settings()?, face.place("127.0.0.1:5020").await?, keys).await
            }
            DeviceFace::Camera(face) => {
                camera::serve(face.settings()?, face.place("127.0.0.1:8081").await?, keys).await
            }
            DeviceFace::Osdp(face) => {
                osdp::serve(face.settings()?, face.place("127.0.0.1:4003").await?, keys).await
            }
            DeviceFace::Sign(face) => {
                sign::serve(&face.settings()?, face.place("127.0.0.1:4002").await?).await
            }
        }
    };
    tokio::select! {
        ended = served => ended,
        stop = tokio::signal::ctrl_c() => Ok(stop?),
    }
}

impl Face {
    fn settings<T: DeserializeOwned + Default>(&self) -> Result<T> {
        let Some(file) = &self.file else { return Ok(T::default()) };
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        toml::from_str(&text).with_context(|| file.display().to_string())
    }
    async fn place(&self, default: &str) -> Result<Place> {
        if self.pty {
            return Ok(Place::Pty);
        }
        let address = self.listen.as_deref().unwrap_or(default);
        let listener = TcpListener::bind(address).await;
        Ok(Place::Tcp(listener.with_context(|| format!("listening on {address}"))?))
    }
}

impl Place {
    /// The listener of a device that has no serial line.
    fn tcp_only(self, what: &str) -> Result<TcpListener> {
        match self {
            Place::Tcp(listener) => Ok(listener),
            Place::Pty => bail!("{what} is reached by TCP: use --listen ADDRESS:PORT"),
        }
    }
}

/// Tells a person or a test where the device is.
fn announce(key: &str, place: &str) {
    println!("{}", serde_json::json!({ key: place }));
}

/// Lines of standard input; none any more at its end, and the device goes on.
fn keyboard() -> Result<mpsc::Receiver<String>> {
    let (sender, lines) = mpsc::channel(KEYS);
    std::thread::Builder::new().name("keys".into()).spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    })?;
    Ok(lines)
}

/// The next line of the keyboard; never after its end.
async fn key(keys: &mut mpsc::Receiver<String>) -> String {
    match keys.recv().await {
        Some(line) => line,
        None => std::future::pending().await,
    }
}
