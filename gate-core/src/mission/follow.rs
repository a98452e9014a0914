//! Following a mission through its observed passes: the cheapest explanation of what was seen (B12-B14, B41).
//!
//! Each pass either is the next leg, or shows that legs before it were not seen, or is a leg seen out of its
//! order, or belongs to no path now. Every explanation costs by how unlikely it is (natural logarithms of
//! the odds); the follower keeps the cheapest few, so that a later pass may correct an earlier judgement
//! without raising a second alarm. A pass that is the next leg, in time and with its conditions met, costs
//! nothing and settles everything before it.

use super::plan::{Held, Place, Plan};
use gate_types::NodeId;
use gate_types::mission::LegRef;

/// Cost of a pass that fits nowhere.
const STRAY: f64 = 7.0;
/// Cost of a leg whose conditions do not hold: a little cheaper than not counting the pass at all.
const UNMET: f64 = 6.8;
/// Cost of a leg seen after its followers: dearer than any missed read, cheaper than a stray pass.
const SWAPPED: f64 = 6.6;
/// A missed read costs no less and no more than this, whatever the node's rate.
const SKIPPED: (f64, f64) = (1.5, 6.4);
/// Cost of a pass that no vehicle can have driven to in time: as the mission's own, and as somebody else's.
const TOO_FAST: (f64, f64) = (5.0, 4.0);
/// What a stray pass and a missing leg in one gap cost less than both apart: it was driven to instead.
const INSTEAD: f64 = 0.5;
/// Explanations that cost this much more than the best are given up.
const BEYOND: f64 = 14.0;
/// The most explanations kept.
const KEPT: usize = 12;
/// The most marks an explanation carries; a mission with more trouble than this has its officer already.
const MARKS: usize = 200;

/// One observed pass of a mission, made small. From [`Plan::seen`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    pub(super) place: Option<Place>,
    pub(super) node: Option<u16>,
    pub(super) at_ms: i64,
    pub(super) held: Held,
}

/// What an explanation had to assume. Events count from 0 in the order in which they were given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mark {
    /// A leg was passed unseen, or not at all, between two observed passes.
    Skipped { branch: u8, from: u8, after: Option<u16>, before: u16 },
    /// A leg was seen after its followers.
    Swapped { branch: u8, event: u16 },
    /// A pass that fits nowhere; `from` is where the mission stood.
    Stray { event: u16, from: u8, why: Why },
    /// A leg whose conditions did not hold.
    Unmet { event: u16, from: u8, branch: u8 },
    /// The mission's own leg, sooner than any vehicle drives there.
    TooFast { event: u16 },
}

/// Why a pass fits nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// No path of the process names the node.
    Foreign,
    /// The node is on a path, but not now.
    NotNow,
    /// It would be a next leg, but its conditions do not hold.
    Unmet(u8),
    /// The same way again without having come back.
    Again,
    /// Nobody drives there in that time.
    TooFast,
}

/// One explanation.
#[derive(Debug, Clone)]
pub(super) struct Guess {
    pub(super) at: u8,
    pub(super) cost: f64,
    inside: u128,
    last: Option<(u16, i64)>,
    pub(super) last_event: Option<u16>,
    /// The legs so far: branch, and the event that showed it; none where it was not seen.
    pub(super) steps: Vec<(u8, Option<u16>)>,
    pub(super) marks: Vec<Mark>,
}

/// Follows one mission. Passes are given in the order of their times; a late one is followed by starting anew.
#[derive(Debug, Clone)]
pub struct Follower {
    pub(super) guesses: Vec<Guess>,
    pub(super) events: Vec<Seen>,
}

impl Plan {
    /// A pass through `leg` under the conditions that held then.
    pub fn seen(&self, leg: &LegRef, at_ms: i64, held: Held) -> Seen {
        let place = self.place_of(&leg.node, leg.direction);
        let node = match place {
            Some(place) => self.node_of(place),
            None => self.port().number(&leg.node),
        };
        Seen { place, node, at_ms, held }
    }
    /// How improbable a missed read at a branch is.
    fn skip_cost(&self, branch: u8) -> f64 {
        let node = self.branch(branch).and_then(|b| self.node_of(b.place));
        let rate = node.map_or(self.port().habits.read_rate, |n| self.port().read_rate(n));
        (-(1.0 - rate).ln()).clamp(SKIPPED.0, SKIPPED.1)
    }
    fn too_fast(&self, last: Option<(u16, i64)>, seen: &Seen) -> bool {
        let (Some((from, at_ms)), Some(to)) = (last, seen.node) else { return false };
        if from == to {
            return false;
        }
        let habits = &self.port().habits;
        let Some(usual) = self.port().usual_ms(from, to) else { return false };
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a day are exact in f64")]
        let (taken, least) = ((seen.at_ms - at_ms) as f64, usual as f64 * habits.fastest_factor);
        #[expect(clippy::cast_precision_loss, reason = "seconds")]
        let clocks = habits.clocks_ms as f64;
        taken + clocks < least
    }
}

impl Follower {
    /// Before the departure.
    pub fn new() -> Self {
        let start = Guess {
            at: 0,
            cost: 0.0,
            inside: 0,
            last: None,
            last_event: None,
            steps: Vec::new(),
            marks: Vec::new(),
        };
        Self { guesses: vec![start], events: Vec::new() }
    }

    /// A mission that came with legs already passed elsewhere: they count as they stand, conditions unasked.
    pub fn after(plan: &Plan, imported: &[LegRef]) -> Self {
        let mut follower = Self::new();
        for leg in imported {
            let Some(place) = plan.place_of(&leg.node, leg.direction) else { continue };
            for guess in &mut follower.guesses {
                let next = plan.children(guess.at).find(|(_, b)| b.place == place).map(|(at, _)| at);
                if let Some(next) = next {
                    guess.at = next;
                    guess.steps.push((next, None));
                    guess.enter(place);
                }
            }
        }
        follower
    }

    /// One more pass.
    pub fn see(&mut self, plan: &Plan, seen: Seen) {
        let event = u16::try_from(self.events.len()).unwrap_or(u16::MAX);
        self.events.push(seen);
        if let [only] = self.guesses.as_mut_slice()
            && let Some(place) = seen.place
            && let Some((next, _)) =
                plan.children(only.at).find(|(_, b)| b.place == place && plan.met(b, seen.held))
            && !plan.too_fast(only.last, &seen)
        {
            only.advance(next, place, event, &seen);
            return;
        }
        let mut guesses = Vec::with_capacity(KEPT);
        for guess in &self.guesses {
            guess.as_late(plan, &seen, event, &mut guesses);
            guess.as_leg(plan, &seen, event, &mut guesses);
            guesses.push(guess.as_stray(plan, &seen, event));
        }
        guesses.sort_by(|a, b| a.cost.total_cmp(&b.cost));
        let best = guesses.first().map_or(0.0, |g| g.cost);
        guesses.retain(|g| g.cost <= best + BEYOND);
        guesses.truncate(KEPT);
        self.guesses = guesses;
    }

    pub(super) fn best(&self) -> Option<&Guess> {
        self.guesses.first()
    }

    /// The node and time of the last pass, whatever it means.
    pub(super) fn event(&self, number: u16) -> Option<&Seen> {
        self.events.get(usize::from(number))
    }
}

impl Default for Follower {
    fn default() -> Self {
        Self::new()
    }
}

impl Guess {
    fn enter(&mut self, place: Place) {
        self.inside = (self.inside | place.bit()) & !place.opposite().bit();
    }

    fn advance(&mut self, to: u8, place: Place, event: u16, seen: &Seen) {
        self.at = to;
        self.steps.push((to, Some(event)));
        self.enter(place);
        self.last = seen.node.map(|node| (node, seen.at_ms));
        self.last_event = Some(event);
    }

    fn mark(&mut self, mark: Mark) {
        if self.marks.len() < MARKS {
            self.marks.push(mark);
        }
    }

    fn strayed_since_last_leg(&self) -> bool {
        self.marks.iter().any(|mark| match *mark {
            Mark::Stray { event, .. } => self.last_event.is_none_or(|last| event > last),
            Mark::Skipped { .. } | Mark::Swapped { .. } | Mark::Unmet { .. } | Mark::TooFast { .. } => false,
        })
    }

    /// The pass is a leg that was taken for skipped.
    fn as_late(&self, plan: &Plan, seen: &Seen, event: u16, guesses: &mut Vec<Guess>) {
        for (k, mark) in self.marks.iter().enumerate() {
            let Mark::Skipped { branch, .. } = *mark else { continue };
            let Some(place) = plan.branch(branch).map(|b| b.place).filter(|p| Some(*p) == seen.place) else {
                continue;
            };
            let mut guess = self.clone();
            guess.cost += SWAPPED - plan.skip_cost(branch);
            if let Some(mark) = guess.marks.get_mut(k) {
                *mark = Mark::Swapped { branch, event };
            }
            if let Some(step) = guess.steps.iter_mut().find(|s| **s == (branch, None)) {
                step.1 = Some(event);
            }
            guess.enter(place);
            guess.last = seen.node.map(|node| (node, seen.at_ms));
            guess.last_event = Some(event);
            guesses.push(guess);
        }
    }

    /// The pass is a leg below the present one, with those between unseen.
    fn as_leg(&self, plan: &Plan, seen: &Seen, event: u16, guesses: &mut Vec<Guess>) {
        let Some(place) = seen.place else { return };
        let fast = plan.too_fast(self.last, seen);
        let mut open: Vec<(u8, Vec<u8>, f64)> = vec![(self.at, Vec::new(), 0.0)];
        while let Some((at, unseen, cost)) = open.pop() {
            for (child, branch) in plan.children(at) {
                if branch.place == place {
                    let mut guess = self.clone();
                    guess.cost += cost;
                    for skipped in &unseen {
                        guess.steps.push((*skipped, None));
                        guess.mark(Mark::Skipped {
                            branch: *skipped,
                            from: self.at,
                            after: self.last_event,
                            before: event,
                        });
                        if let Some(skipped) = plan.branch(*skipped) {
                            guess.enter(skipped.place);
                        }
                    }
                    if !unseen.is_empty() && self.strayed_since_last_leg() {
                        guess.cost -= INSTEAD;
                    }
                    if fast {
                        guess.cost += TOO_FAST.0;
                        guess.mark(Mark::TooFast { event });
                    }
                    if !plan.met(branch, seen.held) {
                        guess.cost += UNMET;
                        guess.mark(Mark::Unmet { event, from: self.at, branch: child });
                    }
                    guess.advance(child, place, event, seen);
                    guesses.push(guess);
                }
                let cost = cost + plan.skip_cost(child);
                if cost < BEYOND {
                    let mut unseen = unseen.clone();
                    unseen.push(child);
                    open.push((child, unseen, cost));
                }
            }
        }
    }

    /// The pass fits nowhere.
    fn as_stray(&self, plan: &Plan, seen: &Seen, event: u16) -> Guess {
        let mut guess = self.clone();
        if seen.node.is_some_and(|node| plan.is_transparent(node)) {
            guess.last = seen.node.map(|node| (node, seen.at_ms));
            return guess;
        }
        let fast = plan.too_fast(self.last, seen);
        let why = match seen.place {
            _ if fast => Why::TooFast,
            None => Why::Foreign,
            Some(place) if self.inside & place.bit() != 0 => Why::Again,
            Some(place) => {
                let next = plan.children(self.at).find(|(_, b)| b.place == place);
                match next {
                    Some((child, branch)) if !plan.met(branch, seen.held) => Why::Unmet(child),
                    Some(_) | None => Why::NotNow,
                }
            }
        };
        guess.cost += if fast { TOO_FAST.1 } else { STRAY };
        guess.mark(Mark::Stray { event, from: self.at, why });
        if !fast {
            guess.last = seen.node.map(|node| (node, seen.at_ms));
            if let Some(place) = seen.place {
                guess.enter(place);
            }
        }
        guess
    }
}

/// The node where a mission was seen last, and when.
pub(super) fn last_seen(plan: &Plan, follower: &Follower) -> Option<(NodeId, i64)> {
    let (node, at_ms) = follower.best()?.last?;
    Some((plan.port().node(node)?.id.clone(), at_ms))
}
