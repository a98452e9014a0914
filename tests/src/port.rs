//! Central and gates as child processes, on free ports, in a temporary folder.

use crate::process::{Process, root};
use crate::until;
use gate_types::api::{
    EnrolToken, GATE_PASSES, GatePassRequest, MISSIONS, MissionChange, MissionView, NewMission,
    SignedGatePass, TOKENS, TokenRequest,
};
use gate_types::console::LaneView;
use gate_types::{LaneId, NodeId};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// Reads a ready file once it is there.
async fn ready(path: &Path, process: &mut Process, limit_s: u64) -> serde_json::Value {
    let started = std::time::Instant::now();
    loop {
        if let Ok(text) = std::fs::read_to_string(path) {
            return serde_json::from_str(&text).unwrap();
        }
        assert!(process.runs(), "ended before it was ready: see {}", process.log.display());
        assert!(started.elapsed().as_secs() < limit_s, "not ready in {limit_s} s: {}", process.log.display());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// A running `varco-central` with the site of Bari.
pub struct Central {
    /// The child.
    pub process: Process,
    /// `http://...` for people and integrators.
    pub url: String,
    /// `https://...` for gates.
    pub gate_url: String,
    folder: PathBuf,
    token: String,
    http: reqwest::Client,
}

impl Central {
    /// Starts central with its state in `folder`.
    pub async fn start(folder: &Path) -> Self {
        Self::start_at(folder, "127.0.0.1:0").await
    }
    /// Starts central again on the same gate address, as after a crash.
    pub async fn start_at(folder: &Path, gate_listen: &str) -> Self {
        let database = format!("sqlite:{}", folder.join("central.db").display());
        Self::start_on(folder, gate_listen, &database).await
    }
    /// Starts central on a database of its own, with its keys in `folder`.
    pub async fn start_on(folder: &Path, gate_listen: &str, database: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ready_file = folder.join("central-ready.json");
        let _ = std::fs::remove_file(&ready_file);
        let site = root().join("config/sites/bari/site.toml");
        let mut process = Process::start(
            "varco-central",
            &[
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--gate-listen",
                gate_listen,
                "--database",
                database,
                "--state",
                folder.to_str().unwrap(),
                "--config",
                site.to_str().unwrap(),
                "--ready-file",
                ready_file.to_str().unwrap(),
            ],
            folder,
        );
        let at = ready(&ready_file, &mut process, 20).await;
        Self {
            process,
            url: format!("http://{}", at["listen"].as_str().unwrap()),
            gate_url: format!("https://{}", at["gate_listen"].as_str().unwrap()),
            folder: folder.to_path_buf(),
            token: std::fs::read_to_string(folder.join("admin-token")).unwrap().trim().to_owned(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }
    /// `GET` with the admin token.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        let answer =
            self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }
    async fn post<B: serde::Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> T {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.token).json(body);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status}: {text}");
        serde_json::from_str(&text).unwrap()
    }
    /// Creates a mission.
    pub async fn create(&self, mission: &NewMission) -> MissionView {
        self.post(MISSIONS, mission).await
    }
    /// The text of a gate pass that central signs for a mission at a node.
    pub async fn gate_pass(&self, mission: &gate_types::MissionId, node: &str) -> String {
        let node = NodeId::new(node).unwrap();
        let request = GatePassRequest { mission: mission.clone(), node, valid_s: 600 };
        let signed: SignedGatePass = self.post(GATE_PASSES, &request).await;
        signed.text
    }
    /// One mission as it is now.
    pub async fn mission(&self, id: &gate_types::MissionId) -> MissionView {
        self.get(&format!("{MISSIONS}/{id}")).await
    }
    /// Changes a mission.
    pub async fn change(&self, id: &gate_types::MissionId, change: &MissionChange) -> MissionView {
        let request = self.http.patch(format!("{}{MISSIONS}/{id}", self.url)).bearer_auth(&self.token);
        let answer = request.json(change).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{id}: {status}: {text}");
        serde_json::from_str(&text).unwrap()
    }
    /// A one-time token for a node.
    pub async fn token(&self, node: &NodeId) -> String {
        let token: EnrolToken = self.post(TOKENS, &TokenRequest { node: node.clone(), valid_s: 600 }).await;
        token.token
    }
    /// Kills it without mercy and starts it again on the same gate port.
    pub async fn crash_and_restart(mut self) -> Self {
        self.process.signal(nix::sys::signal::Signal::SIGKILL);
        self.process.wait(5);
        let listen = self.gate_url.trim_start_matches("https://").to_owned();
        Self::start_at(&self.folder.clone(), &listen).await
    }
}

/// A shipped node file, edited for a test the way a site would edit it.
pub struct NodeFile(pub toml::Table);

impl NodeFile {
    /// Bari's file of a node, with the paths made absolute and everything local.
    pub fn bari(node: &str, central: &Central, state: &Path) -> Self {
        let folder = root().join("config/sites/bari");
        let text = std::fs::read_to_string(folder.join(format!("nodes/node-{node}.toml"))).unwrap();
        let mut table: toml::Table = text.parse().unwrap();
        let set = |table: &mut toml::Table, key: &str, value: String| {
            table.insert(key.into(), toml::Value::String(value));
        };
        set(&mut table, "site", folder.join("site.toml").display().to_string());
        set(&mut table, "state_dir", state.display().to_string());
        set(table["console"].as_table_mut().unwrap(), "listen", "127.0.0.1:0".into());
        set(table["central"].as_table_mut().unwrap(), "url", central.gate_url.clone());
        table.remove("mqtt");
        let ocr = crate::binary("varco-ocr").display().to_string();
        set(table["ocr"].as_table_mut().unwrap(), "command", ocr);
        Self(table)
    }
    /// Keeps only the lane of this name and gives it for editing.
    pub fn only_lane(&mut self, lane: &str) -> &mut toml::Table {
        let lanes = self.0["lane"].as_array_mut().unwrap();
        lanes.retain(|l| l["id"].as_str() == Some(lane));
        let points = root().join("config/points/neutral.toml").display().to_string();
        let lane = lanes[0].as_table_mut().unwrap();
        lane["io"].as_table_mut().unwrap().insert("points".into(), toml::Value::String(points));
        lane
    }
}

/// A running `varco-gate`.
pub struct Gate {
    /// The child.
    pub process: Process,
    /// `http://...` of its console.
    pub url: String,
    /// Its node file.
    pub file: PathBuf,
    folder: PathBuf,
    /// The words of a command that runs it in its own place.
    within: Vec<String>,
    http: reqwest::Client,
}

impl Gate {
    /// Writes the node file, enrols the gate and starts it.
    pub async fn start(central: &Central, node: &str, file: &NodeFile, folder: &Path) -> Self {
        Self::start_within(Vec::new(), central, node, file, folder).await
    }
    /// As [`Gate::start`], behind the words of a command that runs the daemon in its own place.
    pub async fn start_within(
        within: Vec<String>,
        central: &Central,
        node: &str,
        file: &NodeFile,
        folder: &Path,
    ) -> Self {
        let path = folder.join(format!("node-{node}.toml"));
        std::fs::write(&path, toml::to_string(&file.0).unwrap()).unwrap();
        let token = central.token(&NodeId::new(node).unwrap()).await;
        let config = path.to_str().unwrap();
        let arguments = ["enrol", "--config", config, "--token", &token];
        let mut enrol = Process::start_within(&within, "varco-gate", &arguments, folder);
        let status = enrol.wait(20);
        assert!(status.success(), "enrolment failed: {}", enrol.output());
        drop(enrol);
        Self::restart(path, folder, within).await
    }
    async fn restart(file: PathBuf, folder: &Path, within: Vec<String>) -> Self {
        let ready_file = folder.join("gate-ready.json");
        let _ = std::fs::remove_file(&ready_file);
        let arguments =
            ["run", "--config", file.to_str().unwrap(), "--ready-file", ready_file.to_str().unwrap()];
        let mut process = Process::start_within(&within, "varco-gate", &arguments, folder);
        let at = ready(&ready_file, &mut process, 30).await;
        Self {
            process,
            url: format!("http://{}", at["console"].as_str().unwrap()),
            file: file.clone(),
            folder: folder.to_path_buf(),
            within,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }
    /// Kills it without mercy and starts it again.
    pub async fn crash_and_restart(self) -> Self {
        self.crash_and_restart_after(|| {}).await
    }
    /// As [`Gate::crash_and_restart`], with something happening to its files in between.
    pub async fn crash_and_restart_after(mut self, between: impl FnOnce()) -> Self {
        self.process.signal(nix::sys::signal::Signal::SIGKILL);
        self.process.wait(5);
        let (file, folder, within) = (self.file.clone(), self.folder.clone(), self.within.clone());
        drop(self);
        between();
        Self::restart(file, &folder, within).await
    }
    /// An act of a person at the console; whether the daemon took it.
    pub async fn act(&self, token: &str, lane: &str, act: &str) -> bool {
        let body = serde_json::json!({ "name": "Rossi", "act": act, "reason": "test" });
        let path = format!("{}/api/v1/lanes/{lane}/operator", self.url);
        let sent = self.http.post(path).bearer_auth(token.trim()).json(&body).send().await;
        sent.is_ok_and(|answer| answer.status().is_success())
    }
    /// `GET` of the console.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }
    /// Whether a frame of this camera was read since the daemon's start.
    pub async fn has_frame(&self, camera: &str) -> bool {
        let request = self.http.get(format!("{}/api/v1/frames/{camera}", self.url));
        request.send().await.unwrap().status().is_success()
    }
    /// One lane as it is now.
    pub async fn lane(&self, lane: &str) -> LaneView {
        let lanes: Vec<LaneView> = self.get("/api/v1/lanes").await;
        let id = LaneId::new(lane).unwrap();
        lanes.into_iter().find(|l| l.lane == id).unwrap()
    }
    /// Waits until the lane satisfies a condition.
    pub async fn lane_until(
        &self,
        lane: &str,
        what: &str,
        limit_s: u64,
        holds: impl Fn(&LaneView) -> bool,
    ) -> LaneView {
        until(what, limit_s, || async {
            let view = self.lane(lane).await;
            holds(&view).then_some(view)
        })
        .await
    }
}

/// A temporary folder that stays when the test fails.
pub struct Stand {
    folder: Option<tempfile::TempDir>,
}

impl Stand {
    /// A fresh folder.
    pub fn new() -> Self {
        Self { folder: Some(tempfile::tempdir().unwrap()) }
    }
    /// Its path.
    pub fn path(&self) -> &Path {
        self.folder.as_ref().unwrap().path()
    }
}

impl Default for Stand {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(folder) = self.folder.take()
        {
            eprintln!("kept for a look: {}", folder.keep().display());
        }
    }
}
