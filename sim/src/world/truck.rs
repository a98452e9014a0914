//! A truck: its true identity, its job, and where it is.

use super::ident::{Home, vehicle_tag};
use super::plan::{Change, Plan};
use crate::render::Look;
use gate_types::mission::{CustomsStatus, MissionConditions};
use gate_types::release::{Expected, Hold};
use gate_types::{MissionId, ProcessId};
use rand::{Rng, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// What devices can sense of a truck.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// How it looks.
    pub look: Look,
    /// Its tag's EPC, lower-case hex; not every truck has one.
    pub tag: Option<String>,
    /// True gross weight of vehicle and load, kilograms.
    pub gross_kg: f64,
    /// Seeds its pictures.
    pub seed: u64,
}

/// What is special about a truck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Story {
    /// Nothing.
    Plain,
    /// Customs releases it while it waits.
    LateRelease,
    /// Customs holds it; the driver gives up.
    Held,
    /// Its load is heavier than declared; the driver gives up.
    WrongWeight,
    /// Nobody announced it.
    Unknown,
}

/// Where a truck is.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// Not announced yet, or not under way.
    Waiting,
    /// On the road along the points of the map.
    Road {
        /// Names of the map's points.
        along: Vec<String>,
        /// When it set out, world seconds.
        from_s: f64,
        /// When it arrives, world seconds.
        to_s: f64,
    },
    /// In the queue or in the lane with this index.
    Lane(usize),
    /// On the parking of a node until world seconds.
    Parked {
        /// The node.
        node: String,
        /// When it leaves.
        until_s: f64,
    },
    /// Left the port's roads.
    Gone,
}

/// A truck.
#[derive(Debug, Clone)]
pub struct Truck {
    /// Its number in the world.
    pub id: u32,
    /// What devices sense.
    pub card: Arc<Card>,
    /// True tare, kilograms.
    pub tare_kg: f64,
    /// Declared cargo, kilograms.
    pub declared_kg: f64,
    /// The driver's language.
    pub language: &'static str,
    /// What is special.
    pub story: Story,
    /// The process that it follows.
    pub process: ProcessId,
    /// Its legs and how its papers change.
    pub plan: Plan,
    /// The next leg.
    pub next: usize,
    /// How often it came to that leg.
    pub attempts: u32,
    /// The papers as central should have them.
    pub papers: Papers,
    /// Central's name of its mission.
    pub mission: Option<MissionId>,
    /// Where it is.
    pub place: Place,
    /// Its mission reached its end in truth.
    pub finished: bool,
}

/// Status and conditions of a mission.
#[derive(Debug, Clone, PartialEq)]
pub struct Papers {
    /// Customs' word.
    pub status: CustomsStatus,
    /// The holds behind `held`.
    pub holds: Vec<Hold>,
    /// Permission, ticket, declaration, berth, exception.
    pub conditions: MissionConditions,
}

impl Papers {
    /// Applies a change.
    pub fn apply(&mut self, change: &Change) {
        if let Some(status) = change.status {
            self.status = status;
        }
        if let Some(v) = change.access_permission {
            self.conditions.access_permission = v;
        }
        if let Some(v) = change.boarding_ticket {
            self.conditions.boarding_ticket = v;
        }
        if let Some(v) = change.declaration {
            self.conditions.declaration = Some(v);
        }
    }
}

impl Truck {
    /// A truck for a plan. `start`: the first leg that it still has to drive; what comes before has happened.
    pub fn new(
        id: u32,
        seed: u64,
        process: ProcessId,
        container: bool,
        plan: Plan,
        story: Story,
        start: usize,
    ) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let home = Home::random(&mut rng);
        let look = Look::random(home, container, &mut rng);
        let tare_kg = f64::from(rng.random_range(700..800_u32)) * 20.0;
        let declared_kg = f64::from(rng.random_range(250..1250_u32)) * 20.0;
        let factor = match story {
            Story::WrongWeight => rng.random_range(1.35..1.6),
            Story::Plain | Story::LateRelease | Story::Held | Story::Unknown => rng.random_range(0.99..1.01),
        };
        let extra = if story == Story::WrongWeight { 2_500.0 } else { 0.0 };
        let tag = rng.random_bool(0.9).then(|| vehicle_tag(&mut rng));
        let card = Card { look, tag, gross_kg: tare_kg + declared_kg * factor + extra, seed };
        let mut papers =
            Papers { status: plan.status, holds: Vec::new(), conditions: plan.conditions.clone() };
        for due in plan.changes.iter().filter(|d| d.when.leg() < start) {
            papers.apply(&due.change);
        }
        if story == Story::Held {
            papers.status = CustomsStatus::Held;
            papers.holds =
                vec![Hold { authority: "customs".into(), reason: "documents under review".into() }];
        }
        Self {
            id,
            card: Arc::new(card),
            tare_kg,
            declared_kg,
            language: home.language(),
            story,
            process,
            plan,
            next: start,
            attempts: 0,
            papers,
            mission: None,
            place: Place::Waiting,
            finished: false,
        }
    }
    /// What an integrator announces of it.
    pub fn expected(&self) -> Expected {
        let look = &self.card.look;
        Expected {
            tractor_plate: Some(look.front.text()),
            trailer_plate: Some(look.rear.text()),
            itus: look.unit.iter().map(|u| u.code.clone()).collect(),
            vehicle_tag: self.card.tag.clone(),
            tare_kg: Some(self.tare_kg),
            declared_cargo_kg: Some(self.declared_kg),
        }
    }
    /// How long its driver stands before an arm, seconds.
    pub fn patience_s(&self) -> f64 {
        match self.story {
            Story::Plain | Story::LateRelease => 45.0,
            Story::Held => 14.0,
            Story::WrongWeight => 12.0,
            Story::Unknown => 10.0,
        }
    }
}
