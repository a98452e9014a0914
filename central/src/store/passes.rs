//! Finished passes of missions, as the gates' events told them.

use super::value::{Value, values};
use super::{StoreError, Tx, number, parse, print};
use gate_types::circumstances::Circumstances;
use gate_types::decision::CheckResult;
use gate_types::id::IdError;
use gate_types::identity::Identity;
use gate_types::mission::{CustomsStatus, Direction, LegRef, MissionConditions};
use gate_types::{LaneId, NodeId, PassId};
use serde::{Deserialize, Serialize};

/// A finished pass of a mission.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StoredPass {
    pub(crate) leg: LegRef,
    pub(crate) pass: PassId,
    pub(crate) at_ms: i64,
    /// The mission's conditions as the gate held them when it decided.
    pub(crate) conditions: MissionConditions,
    pub(crate) told: Told,
}

/// What the gate told of a pass, to be held against the mission's other passes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Told {
    /// The best candidate of each slot, and the weight.
    pub(crate) identity: Identity,
    /// Customs' word at that moment; none in records of earlier versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<CustomsStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) report_to: Option<String>,
    #[serde(skip_serializing_if = "Circumstances::is_empty")]
    pub(crate) circumstances: Circumstances,
    /// What the last decision checked, where the leg demands checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) checks: Option<Vec<CheckResult>>,
}

fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "in",
        Direction::Out => "out",
    }
}

impl Tx<'_> {
    /// Stores finished passes of missions, each once.
    pub(crate) fn insert_passes(&self, passes: &[(i64, StoredPass)]) -> Result<(), StoreError> {
        let texts = passes
            .iter()
            .map(|(_, pass)| Ok((print("conditions", &pass.conditions)?, print("pass", &pass.told)?)));
        let texts: Vec<(String, String)> = texts.collect::<Result<_, StoreError>>()?;
        let mut rows: Vec<Vec<Value<'_>>> = Vec::with_capacity(passes.len());
        for ((no, pass), (conditions, told)) in passes.iter().zip(&texts) {
            rows.push(
                values![
                    self.port,
                    pass.leg.node.as_str(),
                    pass.pass.lane.as_str(),
                    number(pass.pass.number),
                    *no,
                    direction_name(pass.leg.direction),
                    pass.at_ms,
                    conditions,
                    told
                ]
                .to_vec(),
            );
        }
        let sql =
            "INSERT INTO passes (port_id, node, lane, number, mission_no, direction, at_ms, conditions, told)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
        self.execute_many(sql, &rows)?;
        Ok(())
    }

    /// The finished passes of each of these missions in the order in which they happened.
    pub(crate) fn passes(&self, missions: &[i64]) -> Result<Vec<Vec<StoredPass>>, StoreError> {
        let sql = "SELECT node, lane, number, direction, at_ms, conditions, told FROM passes
                   WHERE port_id = $1 AND mission_no = $2 ORDER BY at_ms, node, lane, number";
        let rows: Vec<_> = missions.iter().map(|no| values![self.port, *no].to_vec()).collect();
        let broken = |e: IdError| StoreError::Content { what: "pass", cause: e.to_string() };
        let mut all = Vec::with_capacity(missions.len());
        for rows in self.query_many(sql, &rows)? {
            let mut passes = Vec::with_capacity(rows.len());
            for row in rows {
                let direction = match row.text(3)? {
                    "in" => Direction::In,
                    "out" => Direction::Out,
                    other => {
                        return Err(StoreError::Content {
                            what: "pass",
                            cause: format!("direction `{other}`"),
                        });
                    }
                };
                passes.push(StoredPass {
                    leg: LegRef { node: NodeId::new(row.text(0)?).map_err(broken)?, direction },
                    pass: PassId { lane: LaneId::new(row.text(1)?).map_err(broken)?, number: row.count(2)? },
                    at_ms: row.int(4)?,
                    conditions: parse("conditions", row.text(5)?)?,
                    told: parse("pass", row.text(6)?)?,
                });
            }
            all.push(passes);
        }
        Ok(all)
    }
}
