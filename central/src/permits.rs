//! Permits in advance: for every mission under way whose next leg is a node's, central's word as it stands
//! now, signed, short-lived and for one use. A gate may act on it while central does not answer.

use crate::store::{MissionRecord, StoreError, Tx};
use config::Site;
use ed25519_dalek::SigningKey;
use gate_core::mission::{LegCheck, check, next_legs};
use gate_types::api::{MAX_PERMITS, PermitHead, PermitSheet};
use gate_types::jws::{self, JwsError};
use gate_types::mission::Direction;
use gate_types::release::Permit;
use gate_types::{NodeId, PortId};

/// Most missions under way that are looked at for one sheet.
const MISSIONS: i64 = 5_000;

/// Missions under way that a node may be asked to admit next.
pub(crate) fn of_node(
    tx: &Tx<'_>,
    site: &Site,
    node: &NodeId,
) -> Result<Vec<(MissionRecord, Direction)>, StoreError> {
    let mut found: Vec<(MissionRecord, Direction)> = Vec::new();
    for record in tx.open_missions(MISSIONS)? {
        let Some(process) = site.process(&record.process) else { continue };
        let progress = record.progress();
        let mut ways: Vec<Direction> = next_legs(process, &progress)
            .iter()
            .filter(|leg| leg.rule.node == *node)
            .map(|leg| leg.rule.direction)
            .collect();
        ways.sort_unstable();
        ways.dedup();
        for way in ways {
            let word = check(process, &record.conditions, record.status, &progress, node, way);
            if let LegCheck::Admitted { .. } = word {
                found.push((record.clone(), way));
            }
        }
    }
    found.truncate(MAX_PERMITS);
    Ok(found)
}

/// The signed sheet. A permit's name holds mission, version and leg, so that a changed mission has another.
pub(crate) fn sheet(
    key: &SigningKey,
    port: &PortId,
    node: &NodeId,
    missions: &[(MissionRecord, Direction)],
    valid_ms: i64,
    now_ms: i64,
) -> Result<PermitSheet, JwsError> {
    let mut names = Vec::new();
    let mut permits = Vec::new();
    for (record, direction) in missions {
        let way = match direction {
            Direction::In => "in",
            Direction::Out => "out",
        };
        let name = format!("{}/{}/{node}-{way}", record.id, record.version);
        let permit = Permit {
            permit: name.clone(),
            port: port.clone(),
            node: node.clone(),
            direction: *direction,
            signed_at_ms: now_ms,
            expires_at_ms: now_ms.saturating_add(valid_ms),
            facts: Box::new(record.facts()),
        };
        permits.push(jws::sign(key, &permit)?);
        names.push(name);
    }
    let head = PermitHead { node: node.clone(), signed_at_ms: now_ms, permits: names };
    Ok(PermitSheet { head: jws::sign(key, &head)?, permits })
}
