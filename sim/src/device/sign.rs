//! A driver's text sign alone: prints what it shows when that changes.

use super::{Place, announce};
use crate::faces::accept;
use crate::faces::pty::Pty;
use crate::faces::sign::{client, shown};
use crate::world::bay::Bay;
use anyhow::Result;
use gate_types::LaneId;
use serde::Deserialize;
use std::time::Duration;

/// What a sign is: nothing to set yet.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {}

pub(super) async fn serve(_: &Settings, place: Place) -> Result<()> {
    let bay = Bay::new(LaneId::new("bench")?, 0);
    let served = bay.clone();
    match place {
        Place::Tcp(listener) => {
            announce("listening", &listener.local_addr()?.to_string());
            tokio::spawn(async move {
                loop {
                    let (stream, bay) = (accept(&listener).await, served.clone());
                    tokio::spawn(async move { client(stream, &bay).await });
                }
            });
        }
        Place::Pty => {
            let (line, path) = Pty::open()?;
            announce("pty", &path.display().to_string());
            tokio::spawn(async move { client(line, &served).await });
        }
    }
    let mut last = Vec::new();
    let mut every = tokio::time::interval(Duration::from_millis(100));
    loop {
        every.tick().await;
        let now = shown(&bay);
        if now != last {
            println!("{}", serde_json::json!({ "shows": now }));
            last = now;
        }
    }
}
