//! A badge reader alone.

use super::{Place, announce, key};
use crate::faces::accept;
use crate::faces::pty::Pty;
use anyhow::{Context as _, Result, bail};
use badge::{Key, ReaderFace};
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;

/// What a reader is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    /// Its address on the line, 0 to 126.
    address: u8,
    /// File with its key as 32 hex digits; the key printed in the standard where absent.
    key: Option<PathBuf>,
    /// Seed of its random numbers.
    seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { address: 0, key: None, seed: 1 }
    }
}

pub(super) async fn serve(settings: Settings, place: Place, mut keys: mpsc::Receiver<String>) -> Result<()> {
    let secret = match &settings.key {
        None => Key::Install,
        Some(file) => Key::load(file)?,
    };
    let reader = ReaderFace::new(settings.address, secret, settings.seed.to_le_bytes());
    let reader = Arc::new(Mutex::new(reader));
    let felt = reader.clone();
    match place {
        Place::Pty => {
            let (line, path) = Pty::open()?;
            announce("pty", &path.display().to_string());
            tokio::spawn(async move { speak(line, &felt).await });
        }
        Place::Tcp(listener) => {
            announce("listening", &listener.local_addr()?.to_string());
            tokio::spawn(async move {
                loop {
                    let stream = accept(&listener).await;
                    if let Err(error) = speak(stream, &felt).await {
                        tracing::debug!(%error, "the reader's panel left");
                    }
                }
            });
        }
    }
    loop {
        let line = key(&mut keys).await;
        if let Err(error) = turn(&line, &mut reader.lock().unwrap_or_else(PoisonError::into_inner)) {
            eprintln!("{error:#}");
        }
    }
}

/// One panel until it leaves.
async fn speak(
    mut line: impl AsyncRead + AsyncWrite + Unpin,
    reader: &Mutex<ReaderFace>,
) -> std::io::Result<()> {
    let mut piece = [0; 512];
    loop {
        let n = line.read(&mut piece).await?;
        if n == 0 {
            return Ok(());
        }
        let bytes = piece.get(..n).unwrap_or_default();
        let answers = reader.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
        for answer in answers {
            line.write_all(&answer).await?;
        }
    }
}

fn turn(line: &str, reader: &mut ReaderFace) -> Result<()> {
    match line.split_whitespace().collect::<Vec<_>>().as_slice() {
        [] => {}
        ["badge", bits, digits] => {
            let count: u16 = bits.parse().with_context(|| format!("`{bits}`: how many bits?"))?;
            let bytes = hex::decode(digits).with_context(|| format!("`{digits}`: hex digits"))?;
            if !reader.present(&bytes, count) {
                bail!("`{line}`: {count} bits are {} bytes, and 8 badges may wait", count.div_ceil(8));
            }
        }
        ["tamper", "on"] => reader.tamper(true),
        ["tamper", "off"] => reader.tamper(false),
        _other => bail!("`{line}`: badge BITS HEX, tamper on|off"),
    }
    Ok(())
}
