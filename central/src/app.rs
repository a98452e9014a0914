//! What all requests share.

use crate::ca::Authority;
use crate::problem::{self, ApiProblem};
use crate::store::Store;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use config::Site;
use ed25519_dalek::SigningKey;
use gate_types::NodeId;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::{broadcast, watch};

/// Largest request body, bytes.
const BODY: usize = 1024 * 1024;
/// News that a slow reader of the stream may be behind before it is dropped.
pub(crate) const BACKLOG: usize = 256;

/// Everything that a request needs.
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) site: Arc<Site>,
    pub(crate) authority: Authority,
    pub(crate) release_key: SigningKey,
    /// SHA-256 of the administrator's token.
    pub(crate) admin: [u8; 32],
    /// [`gate_types::api::CentralEvent`]s as JSON.
    pub(crate) feed: broadcast::Sender<Arc<str>>,
    /// True once the server stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl App {
    /// Refuses nodes that the site does not have.
    pub(crate) fn known_node(&self, node: &NodeId) -> Result<(), ApiProblem> {
        if self.site.node(node).is_some() {
            return Ok(());
        }
        let names: Vec<&str> = self.site.nodes.iter().map(|n| n.id.as_str()).collect();
        Err(ApiProblem::invalid(format!("node: `{node}` is none of this site's: {}", names.join(", "))))
    }
}

/// What both listeners do alike: problems for unknown paths and methods, and the limit of a body.
pub(crate) fn served(routes: Router) -> Router {
    routes
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(DefaultBodyLimit::max(BODY))
}

/// Wall clock, milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
