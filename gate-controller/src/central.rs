//! The way to central: one keep-alive HTTP client with mutual TLS, and what its answers must fulfil.

use crate::identity::Identity;
use anyhow::{Context as _, Result};
use config::CentralConfig;
use ed25519_dalek::VerifyingKey;
use gate_core::VerifiedSheet;
use gate_types::api::{
    self, EventBatch, EventReceipt, HeadAnswer, HeadReport, PermitHead, PermitRequest, PermitSheet,
    SignedAnswer,
};
use gate_types::jws;
use gate_types::release::{Permit, ReleaseAnswer, ReleaseRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::{Duration, Instant};

/// Longest accepted release answer, bytes: the signed text and its wrapping.
const MAX_RELEASE: usize = jws::MAX_LEN + 1024;
/// Longest accepted sheet of permits, bytes.
const MAX_SHEET: usize = 2 * 1024 * 1024;
/// Longest accepted event receipt, bytes.
const MAX_RECEIPT: usize = 64 * 1024;
/// An idle connection is kept this long, seconds, so that a release does not pay for a handshake.
const IDLE_S: u64 = 300;

/// Why a request to central gave nothing usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No answer in time, no connection, or central says that it cannot answer now.
    #[error("{url}: {what}")]
    Silent {
        /// The full address.
        url: String,
        /// What happened.
        what: String,
    },
    /// An answer came and cannot be used.
    #[error("{url}: {what}")]
    NotUsable {
        /// The full address.
        url: String,
        /// What is wrong with it.
        what: String,
    },
}

/// A verified answer with its evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Released {
    /// The body.
    pub answer: ReleaseAnswer,
    /// The compact JWS as received.
    pub signed: String,
    /// When the answer had arrived in full, before it was verified.
    pub arrived: Instant,
}

/// Central as this gate sees it. Cheap to clone; all clones share the connections.
#[derive(Debug, Clone)]
pub struct Central {
    http: reqwest::Client,
    release_url: String,
    events_url: String,
    permits_url: String,
    heads_url: String,
    release_key: VerifyingKey,
}

impl Central {
    /// A client for `config.url` with the gate's identity. Connects at the first request.
    pub fn new(config: &CentralConfig, identity: &Identity) -> Result<Self> {
        Ok(Self {
            http: http_client(identity.tls.clone(), Duration::from_millis(config.timeout_ms))?,
            release_url: join(&config.url, api::RELEASE),
            events_url: join(&config.url, api::EVENTS),
            permits_url: join(&config.url, api::PERMITS),
            heads_url: join(&config.url, api::HEADS),
            release_key: identity.release_key,
        })
    }
    /// Asks for a release. The answer is signed by central, and for this pass, node and nonce.
    pub async fn release(&self, request: &ReleaseRequest) -> Result<Released, CallError> {
        let answer: SignedAnswer = post(&self.http, &self.release_url, request, MAX_RELEASE).await?;
        let arrived = Instant::now();
        let body = check_answer(&self.release_key, request, &answer.signed)
            .map_err(|what| CallError::NotUsable { url: self.release_url.clone(), what })?;
        Ok(Released { answer: body, signed: answer.signed, arrived })
    }
    /// The permits that stand for a node, each signed by central.
    pub async fn permits(&self, request: &PermitRequest) -> Result<VerifiedSheet, CallError> {
        let sheet: PermitSheet = post(&self.http, &self.permits_url, request, MAX_SHEET).await?;
        check_sheet(&self.release_key, request, &sheet)
            .map_err(|what| CallError::NotUsable { url: self.permits_url.clone(), what })
    }
    /// A client over plain HTTP, for a test that is central itself.
    #[cfg(test)]
    pub(crate) fn plain(url: &str, release_key: VerifyingKey) -> Self {
        Self {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            release_url: join(url, api::RELEASE),
            events_url: join(url, api::EVENTS),
            permits_url: join(url, api::PERMITS),
            heads_url: join(url, api::HEADS),
            release_key,
        }
    }
    /// Tells where the journal stands, and asks what central has seen of it.
    pub async fn heads(&self, report: &HeadReport) -> Result<HeadAnswer, CallError> {
        post(&self.http, &self.heads_url, report, MAX_RECEIPT).await
    }
    /// The key under which central signs answers and receipts.
    pub fn release_key(&self) -> &VerifyingKey {
        &self.release_key
    }
    /// Delivers events.
    pub async fn deliver(&self, batch: &EventBatch) -> Result<EventReceipt, CallError> {
        post(&self.http, &self.events_url, batch, MAX_RECEIPT).await
    }
}

/// Verifies a signed answer against the question that it should answer.
fn check_answer(key: &VerifyingKey, request: &ReleaseRequest, signed: &str) -> Result<ReleaseAnswer, String> {
    let answer: ReleaseAnswer = jws::verify(key, signed).map_err(|e| e.to_string())?;
    if answer.nonce != request.nonce {
        return Err(format!("the answer is for nonce {} and not for {}", answer.nonce, request.nonce));
    }
    if answer.pass != request.pass {
        return Err(format!("the answer is for pass {} and not for {}", answer.pass, request.pass));
    }
    if answer.node != request.node {
        return Err(format!("the answer is for node {} and not for {}", answer.node, request.node));
    }
    Ok(answer)
}

/// Verifies a sheet: head and permits are signed, for this port and node, and none is missing or added.
fn check_sheet(
    key: &VerifyingKey,
    request: &PermitRequest,
    sheet: &PermitSheet,
) -> Result<VerifiedSheet, String> {
    let head: PermitHead = jws::verify(key, &sheet.head).map_err(|e| e.to_string())?;
    if head.node != request.node {
        return Err(format!("the sheet is for node {} and not for {}", head.node, request.node));
    }
    if sheet.permits.len() > api::MAX_PERMITS || sheet.permits.len() != head.permits.len() {
        return Err(format!("{} permits, {} are signed for", sheet.permits.len(), head.permits.len()));
    }
    let mut permits = Vec::new();
    for (signed, name) in sheet.permits.iter().zip(&head.permits) {
        let permit: Permit = jws::verify(key, signed).map_err(|e| e.to_string())?;
        if permit.permit != *name || permit.node != request.node || permit.port != request.port {
            return Err(format!("permit {} is not the one that the sheet names", permit.permit));
        }
        permits.push((permit, signed.clone()));
    }
    Ok(VerifiedSheet { signed_at_ms: head.signed_at_ms, permits, ..VerifiedSheet::default() })
}

/// An HTTP/1.1 client over the given TLS, without proxies and redirects.
pub fn http_client(tls: rustls::ClientConfig, timeout: Duration) -> Result<reqwest::Client> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(true)
        .http1_only()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .timeout(timeout)
        .connect_timeout(timeout)
        .pool_idle_timeout(Duration::from_secs(IDLE_S))
        .pool_max_idle_per_host(2)
        .build()
        .context("HTTP client towards central")
}

/// `https://HOST:PORT` and a path.
pub fn join(base: &str, path: &str) -> String {
    format!("{}{path}", base.trim_end_matches('/'))
}

/// Posts JSON and reads JSON of at most `most` bytes.
pub async fn post<Q: Serialize, A: DeserializeOwned>(
    http: &reqwest::Client,
    url: &str,
    body: &Q,
    most: usize,
) -> Result<A, CallError> {
    let silent = |what: String| CallError::Silent { url: url.to_owned(), what };
    let unusable = |what: String| CallError::NotUsable { url: url.to_owned(), what };
    let mut response = http.post(url).json(body).send().await.map_err(|e| silent(causes(&e)))?;
    let status = response.status();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| silent(causes(&e)))? {
        if bytes.len() + chunk.len() > most {
            return Err(unusable(format!("the answer is longer than {most} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        let detail = serde_json::from_slice::<api::Problem>(&bytes).map_or_else(
            |_| String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned(),
            |problem| problem.detail,
        );
        let what = format!("central answered {status}: {detail}");
        return Err(if status.is_server_error() { silent(what) } else { unusable(what) });
    }
    serde_json::from_slice(&bytes).map_err(|e| unusable(format!("the answer does not fit: {e}")))
}

/// An error with all its causes in one line; reqwest's own text leaves them out.
fn causes(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() { "no answer in time".to_owned() } else { error.to_string() };
    let mut source = std::error::Error::source(error);
    for _ in 0..6 {
        let Some(cause) = source else { break };
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;
    use gate_types::identity::Identity as Seen;
    use gate_types::mission::Direction;
    use gate_types::release::Finding;
    use gate_types::{LaneId, NodeId, PassId, PortId};

    fn request() -> ReleaseRequest {
        ReleaseRequest {
            port: PortId::new("ITBRI").unwrap(),
            node: NodeId::new("1").unwrap(),
            direction: Direction::In,
            pass: PassId { lane: LaneId::new("n1-in-1").unwrap(), number: 4 },
            nonce: "n1-in-1:4/1/1".into(),
            identity: Seen::default(),
        }
    }
    fn answer(of: &ReleaseRequest) -> ReleaseAnswer {
        ReleaseAnswer {
            nonce: of.nonce.clone(),
            node: of.node.clone(),
            pass: of.pass.clone(),
            signed_at_ms: 1,
            valid_ms: 5_000,
            finding: Finding::Nothing { near: Vec::new() },
        }
    }

    #[test]
    fn an_answer_counts_only_for_its_own_question_and_signature() {
        let key = SigningKey::from_bytes(&[3; 32]);
        let asked = request();
        let good = jws::sign(&key, &answer(&asked)).unwrap();
        assert_eq!(check_answer(&key.verifying_key(), &asked, &good).unwrap(), answer(&asked));
        let other_key = SigningKey::from_bytes(&[4; 32]).verifying_key();
        assert!(check_answer(&other_key, &asked, &good).is_err());
        let mut other = asked.clone();
        other.nonce.push('x');
        assert!(check_answer(&key.verifying_key(), &other, &good).unwrap_err().contains("nonce"));
        let mut other = asked.clone();
        other.pass.number += 1;
        assert!(check_answer(&key.verifying_key(), &other, &good).unwrap_err().contains("pass"));
        let mut other = asked;
        other.node = NodeId::new("2").unwrap();
        assert!(check_answer(&key.verifying_key(), &other, &good).unwrap_err().contains("node"));
    }

    #[test]
    fn paths_join_once() {
        assert_eq!(join("https://h:1/", "/a"), "https://h:1/a");
        assert_eq!(join("https://h:1", "/a"), "https://h:1/a");
    }
}
