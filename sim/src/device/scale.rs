//! A weighing indicator alone.

use super::{Place, announce, key};
use crate::faces::accept;
use crate::faces::pty::Pty;
use crate::faces::scale;
use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use tokio::sync::{mpsc, watch};
use weighbridge::wire::{Load, NAMES, Speech};

/// What an indicator is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    /// As in an endpoint's `protocol=`: every format but `modbus`.
    protocol: String,
    /// What lies on the platform, kilograms.
    kg: f64,
    /// Verification interval, kilograms.
    interval_kg: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { protocol: "toledo".into(), kg: 12_340.0, interval_kg: 20.0 }
    }
}

pub(super) async fn serve(settings: Settings, place: Place, mut keys: mpsc::Receiver<String>) -> Result<()> {
    let Settings { protocol, kg, interval_kg } = settings;
    let spoken = move || {
        let speech = Speech::of_name(&protocol, interval_kg);
        speech.with_context(|| format!("protocol `{protocol}`: {}", NAMES.join(", ")))
    };
    spoken()?;
    let platform = watch::Sender::new(Load { kg, ..Load::default() });
    let felt = platform.clone();
    match place {
        Place::Pty => {
            let (line, path) = Pty::open()?;
            announce("pty", &path.display().to_string());
            let speech = spoken()?;
            tokio::spawn(async move { scale::speak(line, speech, felt).await });
        }
        Place::Tcp(listener) => {
            announce("listening", &listener.local_addr()?.to_string());
            tokio::spawn(async move {
                loop {
                    let stream = accept(&listener).await;
                    let (Ok(speech), felt) = (spoken(), felt.clone()) else { return };
                    tokio::spawn(async move {
                        if let Err(error) = scale::speak(stream, speech, felt).await {
                            tracing::debug!(%error, "the indicator's client left");
                        }
                    });
                }
            });
        }
    }
    loop {
        let line = key(&mut keys).await;
        if let Err(error) = turn(&line, &platform) {
            eprintln!("{error:#}");
        }
    }
}

fn turn(line: &str, platform: &watch::Sender<Load>) -> Result<()> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        [] => {}
        ["motion", "on"] => platform.send_modify(|p| p.motion = true),
        ["motion", "off"] => platform.send_modify(|p| p.motion = false),
        ["over"] => platform.send_modify(|p| p.over = !p.over),
        ["under"] => platform.send_modify(|p| p.under = !p.under),
        ["unzeroed"] => platform.send_modify(|p| p.unzeroed = !p.unzeroed),
        [number] => {
            let kg: f64 = number.parse().with_context(|| format!("`{number}`: kilograms"))?;
            platform.send_modify(|p| *p = Load { kg, ..Load::default() });
        }
        _other => bail!("`{line}`: a number of kilograms, motion on|off, over, under, unzeroed"),
    }
    Ok(())
}
