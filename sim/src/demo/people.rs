//! The people of the port at central's interface: they announce trucks, change papers, and read records.

use crate::world::port::{Errand, Port};
use crate::world::truck::{Papers, Story};
use anyhow::{Context as _, bail};
use gate_types::api::{
    ALARMS, AlarmView, EVENT_COUNTS, EnrolToken, EventCounts, GateEvent, MISSIONS, MissionChange,
    MissionView, NewMission, TOKENS, TokenRequest,
};
use gate_types::{MissionId, NodeId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// Central's people's interface.
#[derive(Clone)]
pub struct Central {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// An event as central keeps it.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Stored {
    /// Place in central's list.
    pub row: i64,
    /// The node.
    pub node: NodeId,
    /// The event.
    #[serde(flatten)]
    pub event: GateEvent,
}

impl Central {
    /// A client of `IP:PORT`.
    pub fn new(http: reqwest::Client, listen: &str, token: &str) -> Self {
        Self { http, base: format!("http://{listen}"), token: token.trim().to_owned() }
    }
    async fn send<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
        what: &str,
    ) -> anyhow::Result<T> {
        let answer = request.bearer_auth(&self.token).timeout(Duration::from_secs(10)).send().await;
        let answer = answer.with_context(|| format!("{what}: central at {}", self.base))?;
        let status = answer.status();
        let body = answer.bytes().await.with_context(|| format!("{what}: central's answer"))?;
        if !status.is_success() {
            bail!("{what}: central answered {status}: {}", String::from_utf8_lossy(&body));
        }
        serde_json::from_slice(&body).with_context(|| format!("{what}: central's answer"))
    }
    async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.send(self.http.get(format!("{}{path}", self.base)), path).await
    }
    /// A token for one node.
    pub async fn token(&self, node: &NodeId) -> anyhow::Result<String> {
        let body = TokenRequest { node: node.clone(), valid_s: 600 };
        let answer: EnrolToken =
            self.send(self.http.post(format!("{}{TOKENS}", self.base)).json(&body), TOKENS).await?;
        Ok(answer.token)
    }
    async fn create(&self, mission: &NewMission) -> anyhow::Result<MissionView> {
        self.send(self.http.post(format!("{}{MISSIONS}", self.base)).json(mission), "a new mission").await
    }
    async fn change(&self, id: &MissionId, change: &MissionChange) -> anyhow::Result<MissionView> {
        self.send(self.http.patch(format!("{}{MISSIONS}/{id}", self.base)).json(change), "a mission's papers")
            .await
    }
    /// All missions.
    pub async fn missions(&self) -> anyhow::Result<Vec<MissionView>> {
        let mut all: Vec<MissionView> = Vec::new();
        loop {
            let after = all.last().map_or(String::new(), |m| format!("&after={}", m.id));
            let page: Vec<MissionView> = self.get(&format!("{MISSIONS}?limit=500{after}")).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }
    /// All alarms.
    pub async fn alarms(&self) -> anyhow::Result<Vec<AlarmView>> {
        let mut all: Vec<AlarmView> = Vec::new();
        loop {
            let after = all.last().map_or(0, |a| a.id);
            let page: Vec<AlarmView> = self.get(&format!("{ALARMS}?limit=500&after={after}")).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }
    /// Stored events after a row, one page.
    pub async fn events_after(&self, row: i64) -> anyhow::Result<Vec<Stored>> {
        self.get(&format!("/api/v1/events?limit=500&after={row}")).await
    }
    /// All stored events in central's order.
    pub async fn events(&self) -> anyhow::Result<Vec<Stored>> {
        let mut all: Vec<Stored> = Vec::new();
        loop {
            let page = self.events_after(all.last().map_or(0, |e| e.row)).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }
    /// Counts of stored events.
    pub async fn counts(&self) -> anyhow::Result<EventCounts> {
        self.get(EVENT_COUNTS).await
    }
}

/// The port as the tasks share it; locked for a moment only.
pub type SharedPort = Arc<Mutex<Port>>;

/// Locks the port.
pub fn lock(port: &SharedPort) -> std::sync::MutexGuard<'_, Port> {
    port.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs errands until the channel closes.
pub async fn run_errands(central: Central, port: SharedPort, seed: u64, mut errands: mpsc::Receiver<Errand>) {
    while let Some(errand) = errands.recv().await {
        if let Err(error) = run(&central, &port, seed, errand).await {
            tracing::error!("{error:#}");
        }
    }
}

/// Runs one errand.
pub async fn run(central: &Central, port: &SharedPort, seed: u64, errand: Errand) -> anyhow::Result<()> {
    match errand {
        Errand::Announce(id) => {
            let Some(mission) = announcement(port, seed, id) else { return Ok(()) };
            let view = central.create(&mission).await?;
            lock(port).announced(id, view.id);
        }
        Errand::Papers(_, mission, Papers { status, holds, conditions }) => {
            let by = "port community system of the demo".to_owned();
            let change = MissionChange {
                status: Some(status),
                holds: Some(holds),
                conditions: Some(conditions),
                circumstances: None,
                by,
            };
            central.change(&mission, &change).await?;
        }
    }
    Ok(())
}

fn announcement(port: &SharedPort, seed: u64, id: u32) -> Option<NewMission> {
    let port = lock(port);
    let truck = port.trucks.get(&id)?;
    if truck.story == Story::Unknown {
        return None;
    }
    Some(NewMission {
        idempotency_key: format!("demo-{seed}-{id}"),
        process: truck.process.clone(),
        mrns: Vec::new(),
        expected: truck.expected(),
        status: truck.papers.status,
        holds: truck.papers.holds.clone(),
        report_to: None,
        conditions: truck.papers.conditions.clone(),
        language: Some(truck.language.to_owned()),
        imported_progress: truck.plan.legs[..truck.next].to_vec(),
        circumstances: Default::default(),
    })
}
