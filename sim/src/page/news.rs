//! What the page is told: the world five times a second, the lanes twice, figures and events once. Nothing
//! is fetched while nobody looks.

use super::scene;
use crate::demo::hub::Hub;
use gate_types::entry::EntryBody;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;

/// One message of the stream.
#[derive(Debug, Clone)]
pub(super) struct News {
    /// Event name.
    pub(super) kind: &'static str,
    /// Its data.
    pub(super) json: Arc<str>,
}

/// Tells until the program ends.
pub(super) async fn tell(hub: Hub, out: broadcast::Sender<News>) {
    let say = |kind: &'static str, value: Value| {
        // Nobody listens: nothing to do.
        let _ = out.send(News { kind, json: value.to_string().into() });
    };
    let mut every = tokio::time::interval(Duration::from_millis(100));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let (mut beat, mut row) = (0_u64, None);
    loop {
        every.tick().await;
        if out.receiver_count() == 0 {
            continue;
        }
        beat += 1;
        if beat % 2 == 0 {
            say("world", scene::world(&hub));
        }
        if beat % 5 == 1 {
            say("lanes", lanes(&hub).await);
        }
        if beat % 10 == 3 {
            match ticker(&hub, &mut row).await {
                Ok(list) if list.is_empty() => {}
                Ok(list) => say("ticker", Value::Array(list)),
                Err(error) => tracing::debug!("{error:#}"),
            }
        }
        if beat % 20 == 7 {
            match stats(&hub).await {
                Ok(value) => say("stats", value),
                Err(error) => tracing::debug!("{error:#}"),
            }
        }
    }
}

async fn lanes(hub: &Hub) -> Value {
    let mut all = Vec::new();
    for gate in &hub.gates {
        match hub.lanes(gate).await {
            Ok(lanes) => all.extend(lanes.iter().filter_map(|l| serde_json::to_value(l).ok())),
            Err(error) => tracing::debug!("{error:#}"),
        }
    }
    Value::Array(all)
}

/// New events in words. The first call gives the newest only.
async fn ticker(hub: &Hub, row: &mut Option<i64>) -> anyhow::Result<Vec<Value>> {
    let mut page = hub.central.events_after(row.unwrap_or(0)).await?;
    while row.is_none() && page.len() >= 500 {
        let last = page.last().map_or(0, |e| e.row);
        let more = hub.central.events_after(last).await?;
        if more.is_empty() {
            break;
        }
        page = more;
    }
    if let Some(last) = page.last() {
        *row = Some(last.row);
    } else if row.is_none() {
        *row = Some(0);
    }
    let skip = page.len().saturating_sub(60);
    Ok(page
        .iter()
        .skip(skip)
        .filter(|e| !matches!(e.event.entry.body, EntryBody::DaemonStarted { .. } | EntryBody::DaemonStopped {}))
        .map(|e| {
            let entry = &e.event.entry;
            json!({
                "row": e.row, "node": e.node, "lane": entry.lane, "pass": entry.pass.as_ref().map(|p| p.number),
                "kind": entry.body.kind(), "at": entry.at.wall_ms.0, "text": words(&entry.body),
            })
        })
        .collect())
}

fn words(body: &EntryBody) -> String {
    match body {
        EntryBody::Decided { verdict, mission, .. } => {
            let reasons: Vec<&str> = verdict.reasons().iter().map(|r| r.text.as_str()).collect();
            let who = mission.as_ref().map_or("no mission".to_owned(), |m| m.mission.to_string());
            if verdict.admits() {
                format!("admitted: {who}")
            } else {
                format!("{who}: {}", reasons.join("; "))
            }
        }
        EntryBody::PassClosed { summary } => format!("pass closed: {:?}", summary.outcome).to_lowercase(),
        EntryBody::LocalHands { key, fire, arm, .. } => {
            let who = if *fire {
                "fire input"
            } else if *key {
                "key switch"
            } else {
                "given back"
            };
            format!("local hands: {who}, arm {arm:?}").to_lowercase()
        }
        EntryBody::FaultRaised { fault } => format!("fault: {}: {}", fault.device, fault.text),
        EntryBody::FaultCleared { fault } => format!("fault cleared: {}", fault.device),
        EntryBody::OperatorAct { name, act, reason } => format!("{name}: {act}: {reason}"),
        EntryBody::Corrected { name, value, reason, .. } => format!("{name}: it is {value}: {reason}"),
        EntryBody::DaemonStarted { .. }
        | EntryBody::DaemonStopped {}
        | EntryBody::Erased { .. }
        | EntryBody::PassOpened { .. }
        | EntryBody::OpticalRead { .. }
        | EntryBody::TagRead { .. }
        | EntryBody::WeightRead { .. }
        | EntryBody::GatePassShown { .. }
        | EntryBody::ReleaseAsked { .. }
        | EntryBody::ReleaseAnswered { .. }
        | EntryBody::ReleaseRefused { .. }
        | EntryBody::RulesLoaded { .. }
        | EntryBody::RaiseCommanded { .. }
        | EntryBody::ArmConfirmedUp {}
        | EntryBody::VehicleUnder {}
        | EntryBody::VehicleLeft {}
        | EntryBody::VehicleWentBack {}
        | EntryBody::VehicleEnclosed {}
        | EntryBody::VehicleSentBack {}
        | EntryBody::LowerPermitted { .. }
        | EntryBody::ArmConfirmedDown {}
        | EntryBody::ArmMovedUncommanded { .. } => body.kind().replace('_', " "),
    }
}

async fn stats(hub: &Hub) -> anyhow::Result<Value> {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    let mut latency = Vec::new();
    let mut count = |key: &'static str, n: u64| *sums.entry(key).or_default() += n;
    for gate in &hub.gates {
        let m = hub.metrics(gate).await?;
        count("passed", m.passes.get("passed").copied().unwrap_or(0));
        count("turned_back", m.passes.get("turned_back").copied().unwrap_or(0));
        count("raised", m.arms.get("raised").copied().unwrap_or(0));
        count("held", m.held.values().sum());
        count("referred", m.referred.values().sum());
        count("events", m.events);
        count("acknowledged", m.acknowledged);
        latency.extend(m.decision_samples_ms);
    }
    latency.sort_by(f64::total_cmp);
    let rank = |p: f64| latency.get((latency.len() as f64 * p) as usize).copied();
    let mut by_process: BTreeMap<String, u64> = BTreeMap::new();
    for mission in hub.central.missions().await?.iter().filter(|m| m.definitive.is_some()) {
        *by_process.entry(mission.process.to_string()).or_default() += 1;
    }
    let alarms = hub.central.alarms().await?.len();
    Ok(json!({
        "sums": sums, "missions": by_process, "alarms": alarms,
        "p50": rank(0.5), "p99": rank(0.99), "decisions": latency.len(),
    }))
}
