//! The public log of the gates' acknowledged heads: signed tree heads for anchoring outside, and the proofs
//! by which anybody checks that a head is in it and that it only ever grew (RFC 6962, RFC 9162).

use crate::app::now_ms;
use crate::merkle;
use crate::people_api::{Shared, limit};
use crate::problem::{ApiProblem, Asked};
use crate::store::{LogLeaf, StoreError, Tx};
use axum::Json;
use axum::extract::State;
use gate_types::{PortId, jws};
use serde::{Deserialize, Serialize};

/// The newest signed tree head.
pub(crate) const LOG_HEAD: &str = "/api/v1/log/head";
/// Leaves.
pub(crate) const LOG_ENTRIES: &str = "/api/v1/log/entries";
/// Inclusion proofs.
pub(crate) const LOG_INCLUSION: &str = "/api/v1/log/inclusion";
/// Consistency proofs.
pub(crate) const LOG_CONSISTENCY: &str = "/api/v1/log/consistency";

/// What a tree head says; signed as a compact JWS under the release key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct TreeHead {
    /// `varco_tree_head`, so that no other text of the same key is taken for one.
    what: String,
    port: PortId,
    tree_size: u64,
    /// Lower-case hex.
    root_hash: String,
    signed_at_ms: i64,
}

#[derive(Serialize)]
pub(crate) struct SignedTreeHead {
    #[serde(flatten)]
    head: TreeHead,
    /// The same, signed.
    signed: String,
    /// The key that signed it, as gates know it.
    key: String,
}

/// `GET`: size and root, signed.
pub(crate) async fn head(State(app): Shared) -> Result<Json<SignedTreeHead>, ApiProblem> {
    let read = |tx: &Tx<'_>| -> Result<_, StoreError> {
        let size = tx.log_size()?;
        Ok((size, merkle::root(size, |place| tx.log_node(place))?))
    };
    let (tree_size, root) = app.store.read(read).await?;
    let head = TreeHead {
        what: "varco_tree_head".to_owned(),
        port: app.site.port.clone(),
        tree_size,
        root_hash: hex::encode(root),
        signed_at_ms: now_ms(),
    };
    let signed = jws::sign(&app.release_key, &head).map_err(ApiProblem::internal)?;
    let key = jws::key_to_text(&app.release_key.verifying_key());
    Ok(Json(SignedTreeHead { head, signed, key }))
}

#[derive(Deserialize)]
pub(crate) struct EntriesQuery {
    /// The first leaf.
    #[serde(default)]
    start: u64,
    limit: Option<i64>,
}

/// `GET ?start=&limit=`: leaves in order. A leaf is hashed as SHA-256(0x00 || the text of `leaf`).
pub(crate) async fn entries(
    State(app): Shared,
    Asked(asked): Asked<EntriesQuery>,
) -> Result<Json<Vec<LogLeaf>>, ApiProblem> {
    let leaves: Result<_, StoreError> =
        app.store.read(move |tx| tx.log_leaves(asked.start, limit(asked.limit))).await;
    Ok(Json(leaves?))
}

#[derive(Serialize)]
pub(crate) struct Proof {
    /// The size of the tree that the proof is of.
    tree_size: u64,
    /// Its root, lower-case hex.
    root_hash: String,
    /// Hashes in the order of RFC 9162, lower-case hex.
    path: Vec<String>,
}

impl Proof {
    fn new(tree_size: u64, root: merkle::Hash, path: &[merkle::Hash]) -> Self {
        Self { tree_size, root_hash: hex::encode(root), path: path.iter().map(hex::encode).collect() }
    }
}

#[derive(Deserialize)]
pub(crate) struct InclusionQuery {
    leaf: u64,
    /// The newest size where it is absent.
    size: Option<u64>,
}

fn within(tx: &Tx<'_>, size: Option<u64>) -> Result<u64, ApiProblem> {
    let newest = tx.log_size()?;
    match size {
        Some(asked) if asked > newest => {
            Err(ApiProblem::missing(format!("the log has {newest} leaves, not {asked} yet")))
        }
        Some(asked) => Ok(asked),
        None => Ok(newest),
    }
}

/// `GET ?leaf=&size=`: that a leaf is in the tree of that size.
pub(crate) async fn inclusion(
    State(app): Shared,
    Asked(asked): Asked<InclusionQuery>,
) -> Result<Json<Proof>, ApiProblem> {
    let read = move |tx: &Tx<'_>| {
        let size = within(tx, asked.size)?;
        if asked.leaf >= size {
            let of =
                format!("leaf {}: the tree of {size} leaves has 0 to {}", asked.leaf, size.saturating_sub(1));
            return Err(ApiProblem::missing(of));
        }
        let path = merkle::inclusion(asked.leaf, size, |place| tx.log_node(place))?;
        Ok(Proof::new(size, merkle::root(size, |place| tx.log_node(place))?, &path))
    };
    Ok(Json(app.store.read(read).await?))
}

#[derive(Deserialize)]
pub(crate) struct ConsistencyQuery {
    first: u64,
    /// The newest size where it is absent.
    second: Option<u64>,
}

/// `GET ?first=&second=`: that the smaller tree is the beginning of the larger.
pub(crate) async fn consistency(
    State(app): Shared,
    Asked(asked): Asked<ConsistencyQuery>,
) -> Result<Json<Proof>, ApiProblem> {
    let read = move |tx: &Tx<'_>| {
        let second = within(tx, asked.second)?;
        if asked.first == 0 || asked.first > second {
            let of = format!("first: 1 to {second}, {} given; the empty tree begins every tree", asked.first);
            return Err(ApiProblem::invalid(of));
        }
        let path = merkle::consistency(asked.first, second, |place| tx.log_node(place))?;
        Ok(Proof::new(second, merkle::root(second, |place| tx.log_node(place))?, &path))
    };
    Ok(Json(app.store.read(read).await?))
}
