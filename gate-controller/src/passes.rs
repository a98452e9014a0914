//! Gate passes at this gate: verified, bound to the vehicle for which each was shown first, and used up once that
//! vehicle has gone through. The binding is durable before a lane hears of the pass.

use crate::once::replace;
use anyhow::{Context as _, Result, bail};
use barcode::{Issuer, Shown};
use gate_types::PassId;
use gate_types::gate_pass::{self, GatePass, PassFault, PassRefusal, ShownPass};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Most passes that are remembered at once.
const MOST: usize = 16_384;

/// One gate pass that was shown here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Bound {
    /// The vehicle's pass through a lane.
    to: PassId,
    /// The gate pass is refused by its time from this moment on, milliseconds since 1970.
    until_ms: i64,
}

#[derive(Debug)]
struct Book {
    file: PathBuf,
    bound: BTreeMap<String, Bound>,
}

impl Book {
    /// Binds a gate pass to a vehicle. False where it is another vehicle's.
    fn bind(&mut self, pass: &GatePass, to: &PassId, now_ms: i64) -> Result<bool> {
        if let Some(bound) = self.bound.get(&pass.id) {
            return Ok(bound.to == *to);
        }
        let mut new = self.bound.clone();
        new.retain(|_, bound| bound.until_ms > now_ms);
        if new.len() >= MOST {
            bail!("{MOST} gate passes are remembered; wait until some of them expire");
        }
        new.insert(pass.id.clone(), Bound { to: to.clone(), until_ms: pass.expires_at_ms });
        self.put(new)?;
        Ok(true)
    }
    fn put(&mut self, new: BTreeMap<String, Bound>) -> Result<()> {
        let json = serde_json::to_vec(&new)?;
        replace(&self.file, &json).with_context(|| self.file.display().to_string())?;
        self.bound = new;
        Ok(())
    }
}

/// What judges gate passes, shared by the lanes of a gate.
#[derive(Debug, Clone)]
pub struct PassDesk {
    issuer: Issuer,
    book: Arc<Mutex<Book>>,
}

impl PassDesk {
    /// Opens or begins the book in this file. One that cannot be read is an error, because passes that were used
    /// would count again.
    pub fn open(file: PathBuf, issuer: Issuer) -> Result<Self> {
        let bound = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| {
                format!("{}: remove it after every gate pass has expired", file.display())
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error).with_context(|| file.display().to_string()),
        };
        Ok(Self { issuer, book: Arc::new(Mutex::new(Book { file, bound })) })
    }
    /// Whose passes count here.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }
    /// What the text of a code comes to for the vehicle of `to`; none where it is no gate pass.
    pub fn look(&self, text: &str, to: &PassId, now_ms: i64) -> Option<ShownPass> {
        let Issuer { key, port, node } = &self.issuer;
        match gate_pass::read(key, port, node, now_ms, text) {
            Ok(pass) => self.bind(&pass, to, now_ms),
            Err(refusal) => refused(&refusal),
        }
    }
    /// The same of what a reader has verified.
    pub fn judge(&self, shown: &Shown, to: &PassId, now_ms: i64) -> Option<ShownPass> {
        match shown {
            Shown::Pass(pass) => self.bind(pass, to, now_ms),
            Shown::Refused(refusal) => refused(refusal),
            Shown::Other(_) => None,
        }
    }
    fn bind(&self, pass: &GatePass, to: &PassId, now_ms: i64) -> Option<ShownPass> {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        match book.bind(pass, to, now_ms) {
            Ok(true) => Some(ShownPass::Valid {
                id: pass.id.clone(),
                mission: pass.mission.clone(),
                expires_at_ms: pass.expires_at_ms,
            }),
            Ok(false) => refused(&PassRefusal::Used),
            Err(error) => {
                tracing::error!(pass = %pass.id, error = format!("{error:#}"), "a gate pass cannot be noted");
                let why = "this gate cannot note it as used; see the log".to_owned();
                Some(ShownPass::Refused { fault: PassFault::Used, why })
            }
        }
    }
    /// The vehicle went back without passing: its gate passes are good for the next try.
    pub fn went_back(&self, pass: &PassId) {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        if !book.bound.values().any(|bound| bound.to == *pass) {
            return;
        }
        let mut new = book.bound.clone();
        new.retain(|_, bound| bound.to != *pass);
        if let Err(error) = book.put(new) {
            tracing::error!(%pass, error = format!("{error:#}"), "gate passes stay noted as used");
        }
    }
}

fn refused(refusal: &PassRefusal) -> Option<ShownPass> {
    refusal.fault().map(|fault| ShownPass::Refused { fault, why: refusal.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;
    use gate_types::{LaneId, MissionId, NodeId, PortId};

    const NOW: i64 = 1_800_000_000_000;

    fn desk(file: PathBuf) -> PassDesk {
        let key = SigningKey::from_bytes(&[7; 32]).verifying_key();
        let issuer = Issuer { key, port: PortId::new("ITBRI").unwrap(), node: NodeId::new("1").unwrap() };
        PassDesk::open(file, issuer).unwrap()
    }

    fn pass(id: &str, node: &str) -> GatePass {
        GatePass {
            typ: gate_pass::PASS_TYPE.into(),
            id: id.into(),
            issuer: PortId::new("ITBRI").unwrap(),
            node: NodeId::new(node).unwrap(),
            issued_at_ms: NOW - 1,
            expires_at_ms: NOW + 1_000,
            mission: MissionId::new("M-1").unwrap(),
        }
    }

    fn text(seed: u8, pass: &GatePass) -> String {
        gate_pass::write(&SigningKey::from_bytes(&[seed; 32]), pass).unwrap()
    }

    fn fault(shown: Option<ShownPass>) -> Option<PassFault> {
        match shown.unwrap() {
            ShownPass::Valid { .. } => None,
            ShownPass::Refused { fault, .. } => Some(fault),
        }
    }

    #[test]
    fn a_pass_is_one_vehicles_until_it_has_gone_back_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gate-passes.json");
        let lane = LaneId::new("n1-in-1").unwrap();
        let vehicle = |number| PassId { lane: lane.clone(), number };
        let (a, b) = (text(7, &pass("a", "1")), text(7, &pass("b", "1")));
        let first = desk(file.clone());
        assert_eq!(fault(first.look(&a, &vehicle(1), NOW)), None);
        assert_eq!(fault(first.look(&a, &vehicle(1), NOW)), None, "shown again by the same");
        assert_eq!(fault(first.look(&a, &vehicle(2), NOW)), Some(PassFault::Used));
        assert_eq!(fault(first.look(&b, &vehicle(2), NOW)), None);
        let again = desk(file.clone());
        assert_eq!(fault(again.look(&a, &vehicle(3), NOW)), Some(PassFault::Used));
        again.went_back(&vehicle(2));
        assert_eq!(fault(desk(file.clone()).look(&b, &vehicle(4), NOW)), None);
        assert_eq!(fault(again.look(&a, &vehicle(3), NOW + 1_000)), Some(PassFault::Expired));
        std::fs::write(&file, "rubbish").unwrap();
        assert!(PassDesk::open(file, again.issuer().clone()).is_err());
    }

    #[test]
    fn what_is_wrong_is_told_and_another_code_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let desk = desk(folder.path().join("gate-passes.json"));
        let to = PassId { lane: LaneId::new("n1-in-1").unwrap(), number: 1 };
        assert_eq!(fault(desk.look(&text(8, &pass("a", "1")), &to, NOW)), Some(PassFault::Forged));
        assert_eq!(fault(desk.look(&text(7, &pass("a", "2")), &to, NOW)), Some(PassFault::Foreign));
        assert_eq!(desk.look("https://example.org/", &to, NOW), None);
        assert_eq!(desk.judge(&Shown::Other("x".into()), &to, NOW), None);
        assert_eq!(
            fault(desk.judge(&Shown::Refused(PassRefusal::Expired(5)), &to, NOW)),
            Some(PassFault::Expired)
        );
        assert_eq!(fault(desk.judge(&Shown::Pass(Box::new(pass("a", "1"))), &to, NOW)), None);
    }
}
