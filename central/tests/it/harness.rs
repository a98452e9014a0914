//! A central of its own for each test, gates that enrol at it, and the messages that they send.

use crate::cluster::Cluster;
use central::{Database, Options, Serving};
use config::Site;
use gate_types::api::{
    ALARMS, AlarmView, ENROL, EVENTS, EnrolAnswer, EnrolRequest, EnrolToken, EventBatch, EventReceipt,
    GateEvent, MISSIONS, MissionView, NewMission, RELEASE, SignedAnswer, TOKENS,
};
use gate_types::entry::{Authority, Entry, EntryBody, PassOutcome, PassSummary};
use gate_types::identity::{Candidate, Identity, Slot, SlotEvidence};
use gate_types::mission::{CustomsStatus, Direction, MissionConditions};
use gate_types::release::{Expected, Finding, MissionFacts, ReleaseAnswer, ReleaseRequest};
use gate_types::{BootEpoch, EntrySeq, LaneId, Mono, NodeId, PassId, Stamp, Wall, jws};
use rcgen::{CertificateParams, KeyPair};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// The port of Bari as the project ships it.
pub(crate) fn site_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/sites/bari/site.toml")
}

pub(crate) fn site() -> Site {
    config::load_site(&site_file()).unwrap()
}

tokio::task_local! {
    /// Which store the tests of this task use.
    pub(crate) static ON_POSTGRES: bool;
}

/// Each test twice: on SQLite and on a PostgreSQL of its own.
macro_rules! on_both {
    ($($(#[$doc:meta])* async fn $name:ident() $body:block)*) => {
        $(
            $(#[$doc])*
            mod $name {
                #[allow(unused_imports)]
                use super::*;

                async fn run() $body

                #[tokio::test]
                async fn sqlite() {
                    run().await;
                }
                #[tokio::test]
                async fn postgres() {
                    $crate::harness::ON_POSTGRES.scope(true, run()).await;
                }
            }
        )*
    };
}
pub(crate) use on_both;

/// Where a central keeps what counts, and its keys.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) cluster: Option<Cluster>,
    /// The address of a server that is somebody else's.
    pub(crate) told: Option<String>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let on_postgres = ON_POSTGRES.try_with(|on| *on).unwrap_or(false);
        let cluster = on_postgres.then(|| Cluster::start(false));
        Self { folder: tempfile::tempdir().unwrap(), cluster, told: None }
    }
    pub(crate) fn url(&self) -> String {
        match (&self.told, &self.cluster) {
            (Some(url), _) => url.clone(),
            (None, Some(cluster)) => cluster.url(),
            (None, None) => format!("sqlite:{}", self.folder.path().join("central.db").display()),
        }
    }
    pub(crate) fn database(&self) -> Database {
        self.url().parse().unwrap()
    }
    /// All that the database holds, as a backup writes it.
    pub(crate) fn everything(&self) -> Vec<u8> {
        let file = self.folder.path().join("everything");
        let database = self.database();
        // The store's own threads wait for its server: not on a thread of the async runtime.
        std::thread::scope(|s| s.spawn(|| central::backup(&database, &file)).join()).unwrap().unwrap();
        std::fs::read(file).unwrap()
    }
    /// Changes what is stored behind central's back.
    pub(crate) fn sql(&self, sql: &str) {
        match &self.cluster {
            Some(cluster) => drop(cluster.psql(sql)),
            None => {
                let file = rusqlite::Connection::open(self.folder.path().join("central.db")).unwrap();
                file.execute_batch(sql).unwrap();
            }
        }
    }
}

/// A central with its state in a folder of its own.
pub(crate) struct Central {
    pub(crate) serving: Option<Serving>,
    listen: SocketAddr,
    gate_listen: SocketAddr,
    pub(crate) place: Arc<Place>,
    pub(crate) site: Site,
    admin: String,
    http: Client,
}

pub(crate) async fn central() -> Central {
    central_in(Arc::new(Place::new())).await
}

pub(crate) async fn central_in(place: Arc<Place>) -> Central {
    central_of(place, site()).await
}

/// A central of another site.
pub(crate) async fn central_of(place: Arc<Place>, site: Site) -> Central {
    // An error means that another test has installed it already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let serving = central::start(Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        gate_listen: "127.0.0.1:0".parse().unwrap(),
        database: place.database(),
        state: Some(place.folder.path().to_owned()),
        new_keys: false,
        site: site.clone(),
        names: Vec::new(),
    })
    .await
    .unwrap();
    let mut central = Central::beside(place, serving.listen, serving.gate_listen);
    central.serving = Some(serving);
    central.site = site;
    central
}

impl Central {
    /// A central that serves already, with its keys in the place's folder.
    pub(crate) fn beside(place: Arc<Place>, listen: SocketAddr, gate_listen: SocketAddr) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let admin = std::fs::read_to_string(place.folder.path().join("admin-token")).unwrap();
        Self { serving: None, listen, gate_listen, place, site: site(), admin, http: Client::new() }
    }
    pub(crate) fn gate_listen(&self) -> SocketAddr {
        self.gate_listen
    }
    pub(crate) async fn stop(self) {
        self.serving.unwrap().stop().await.unwrap();
    }
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.listen)
    }
    pub(crate) fn gate_url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.gate_listen.port())
    }
    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(self.url(path)).bearer_auth(&self.admin)
    }
    pub(crate) fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.http.post(self.url(path)).bearer_auth(&self.admin).json(body)
    }
    pub(crate) fn patch(&self, id: &str, body: &Value) -> RequestBuilder {
        self.http.patch(self.url(&format!("{MISSIONS}/{id}"))).bearer_auth(&self.admin).json(body)
    }
    pub(crate) async fn read<T: serde::de::DeserializeOwned>(&self, path: &str) -> T {
        let response = self.get(path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }
    pub(crate) async fn create(&self, mission: &NewMission) -> MissionView {
        let response = self.post(MISSIONS, &serde_json::to_value(mission).unwrap()).send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, StatusCode::CREATED, "{text}");
        serde_json::from_str(&text).unwrap()
    }
    pub(crate) async fn mission(&self, id: &str) -> MissionView {
        self.read(&format!("{MISSIONS}/{id}")).await
    }
    pub(crate) async fn alarms(&self) -> Vec<AlarmView> {
        self.read(ALARMS).await
    }
    pub(crate) async fn token(&self, node: &str, valid_s: u64) -> EnrolToken {
        let response = self.post(TOKENS, &json!({ "node": node, "valid_s": valid_s })).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.unwrap()
    }
    /// A client that trusts this central, with or without a certificate of its own.
    pub(crate) fn tls_client(&self, identity: Option<String>) -> Client {
        let ca = std::fs::read(self.place.folder.path().join("ca.pem")).unwrap();
        let builder = Client::builder().tls_certs_only([reqwest::Certificate::from_pem(&ca).unwrap()]);
        let builder = match identity {
            Some(pem) => builder.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap()),
            None => builder,
        };
        builder.build().unwrap()
    }
    pub(crate) async fn ask_enrol(&self, request: &EnrolRequest) -> Response {
        self.tls_client(None).post(self.gate_url(ENROL)).json(request).send().await.unwrap()
    }
    pub(crate) async fn gate(&self, node: &str) -> Gate<'_> {
        let key = KeyPair::generate().unwrap();
        let secret = secret_of(&self.token(node, 60).await);
        let node = NodeId::new(node).unwrap();
        let request = EnrolRequest { secret, node: node.clone(), csr_pem: csr(&key) };
        let response = self.ask_enrol(&request).await;
        assert_eq!(response.status(), StatusCode::OK);
        let answer: EnrolAnswer = response.json().await.unwrap();
        let client = self.tls_client(Some(format!("{}{}", answer.certificate_pem, key.serialize_pem())));
        Gate { central: self, client, answer, node }
    }
}

/// The secret part of `varco1.SECRET.FINGERPRINT`.
pub(crate) fn secret_of(token: &EnrolToken) -> String {
    token.token.split('.').nth(1).unwrap().to_owned()
}

pub(crate) fn csr(key: &KeyPair) -> String {
    CertificateParams::default().serialize_request(key).unwrap().pem().unwrap()
}

/// An enrolled gate.
pub(crate) struct Gate<'a> {
    pub(crate) central: &'a Central,
    pub(crate) client: Client,
    pub(crate) answer: EnrolAnswer,
    pub(crate) node: NodeId,
}

impl Gate<'_> {
    pub(crate) async fn post(&self, path: &str, body: &impl serde::Serialize) -> Response {
        self.client.post(self.central.gate_url(path)).json(body).send().await.unwrap()
    }
    /// Asks for release and verifies the answer.
    pub(crate) async fn ask(&self, identity: Identity, number: u64) -> Finding {
        let request = self.request(identity, number);
        let response = self.post(RELEASE, &request).await;
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{text}");
        let signed: SignedAnswer = serde_json::from_str(&text).unwrap();
        let key = jws::key_from_text(&self.answer.release_key).unwrap();
        let answer: ReleaseAnswer = jws::verify(&key, &signed.signed).unwrap();
        assert_eq!((answer.nonce, answer.node, answer.pass), (request.nonce, request.node, request.pass));
        assert_eq!(answer.valid_ms, 5000);
        answer.finding
    }
    pub(crate) fn request(&self, identity: Identity, number: u64) -> ReleaseRequest {
        ReleaseRequest {
            port: self.answer.port.clone(),
            node: self.node.clone(),
            direction: Direction::In,
            pass: self.pass(number),
            nonce: format!("{}:{number}", self.node),
            identity,
        }
    }
    pub(crate) fn pass(&self, number: u64) -> PassId {
        PassId { lane: LaneId::new(format!("n{}-in-1", self.node)).unwrap(), number }
    }
    pub(crate) async fn send(&self, events: &[GateEvent]) -> EventReceipt {
        let batch =
            EventBatch { port: self.answer.port.clone(), node: self.node.clone(), events: events.to_vec() };
        let response = self.post(EVENTS, &batch).await;
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{text}");
        serde_json::from_str(&text).unwrap()
    }
    /// The event of a vehicle that went through.
    pub(crate) fn passed(
        &self,
        seq: u64,
        at_ms: i64,
        direction: Direction,
        facts: Option<MissionFacts>,
    ) -> GateEvent {
        let summary = PassSummary {
            direction,
            outcome: PassOutcome::Passed,
            opened_at_ms: at_ms - 20_000,
            identity: Identity::default(),
            mission: facts.map(Box::new),
            verdict: None,
            raised_by: Some(Authority::Decision),
        };
        self.event(seq, at_ms, EntryBody::PassClosed { summary: Box::new(summary) })
    }
    pub(crate) fn event(&self, seq: u64, at_ms: i64, body: EntryBody) -> GateEvent {
        let pass = self.pass(seq);
        GateEvent {
            epoch: BootEpoch(1),
            seq: EntrySeq(seq),
            hash: format!("{seq:064x}"),
            entry: Entry {
                lane: Some(pass.lane.clone()),
                pass: Some(pass),
                at: Stamp { mono_ms: Mono(seq), wall_ms: Wall(at_ms) },
                body,
            },
        }
    }
}

/// One slot read with one candidate.
pub(crate) fn read(slot: Slot, value: &str, probability: f64) -> SlotEvidence {
    let candidate =
        Candidate { value: value.to_owned(), probability, support: vec!["n1-in-1.front".to_owned()] };
    SlotEvidence { slot, candidates: vec![candidate], conflict: false, blind: false, sources: Vec::new() }
}

pub(crate) fn identity(slots: Vec<SlotEvidence>) -> Identity {
    Identity { slots, ..Identity::default() }
}

pub(crate) fn plate(value: &str) -> Identity {
    identity(vec![read(Slot::TractorPlate, value, 0.95)])
}

/// A mission of P1 for one tractor, released and with everything it needs.
pub(crate) fn mission(key: &str, plate: &str) -> NewMission {
    NewMission {
        idempotency_key: key.to_owned(),
        process: "P1".parse().unwrap(),
        mrns: Vec::new(),
        expected: Expected { tractor_plate: Some(plate.to_owned()), ..Expected::default() },
        status: CustomsStatus::Released,
        holds: Vec::new(),
        report_to: None,
        conditions: MissionConditions {
            access_permission: true,
            boarding_ticket: true,
            declaration: None,
            berth: None,
            exception: None,
        },
        language: Some("it".to_owned()),
        imported_progress: Vec::new(),
        circumstances: Default::default(),
    }
}

/// The facts of a finding that names one mission.
pub(crate) fn facts(finding: Finding) -> MissionFacts {
    match finding {
        Finding::Mission { facts, .. } => *facts,
        other => panic!("no mission was found: {other:?}"),
    }
}
