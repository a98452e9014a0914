//! One camera's reference and what its frames say of it, frame by frame.

use super::Scene;

/// Frames of the resting lane that make a reference.
const LEARN: u32 = 5;
/// Least time between them, ms: a truck that drives through is not taken for the place.
const LEARN_EVERY_MS: u64 = 700;
/// Blocks that a reference has to show; fewer say nothing about the place.
const LEAST_BLOCKS: usize = 6;
/// Part of the reference that a frame has to show, and the part above which it is followed.
const RIGHT: f32 = 0.42;
const PLAINLY_RIGHT: f32 = 0.6;
/// Part of one wrong frame that the next one has to show: what moves is a vehicle, and no camera that was turned.
const STANDS: f32 = 0.5;
/// Frames in a row that tell another scene.
const WRONG_FRAMES: u32 = 4;
/// Part of the reference's blocks below which a frame shows nothing.
const NOTHING: f32 = 0.1;
/// How often, and how far, a reference follows what is seen.
const FOLLOW_EVERY_MS: u64 = 10_000;
const FOLLOW: f32 = 0.05;

/// What is known of a camera's scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SceneState {
    /// No reference yet.
    Unknown,
    /// As it was learned.
    Right,
    /// A frame did not fit; more of them decide. Look again soon.
    Doubtful,
    /// Turned, moved, or something stands before it.
    Other,
    /// Nothing is to be seen in daylight: covered, or fog.
    Nothing,
}

/// The reference of one camera, learned from the resting lane.
#[derive(Debug, Default)]
pub struct SceneWatch {
    reference: Option<Scene>,
    learning: Option<(Scene, u32, u64)>,
    wrong: u32,
    last_wrong: Option<Scene>,
    followed_ms: u64,
    state: Option<SceneState>,
    changed: bool,
}

impl SceneWatch {
    /// With the reference kept from before.
    pub fn with(reference: Option<Scene>) -> Self {
        Self { reference, ..Self::default() }
    }
    /// The reference where it was learned or has moved since this was asked last: to be kept.
    pub fn take_changed(&mut self) -> Option<&Scene> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        self.reference.as_ref()
    }
    /// Learn anew.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Takes one frame. `resting`: no vehicle is announced; while one is, a frame that fits clears a doubt and
    /// one that shows nothing is told, but a hidden place is no fault. `now_ms` never goes back.
    pub fn frame(&mut self, now_ms: u64, frame: &Scene, resting: bool) -> SceneState {
        let Some(reference) = &mut self.reference else {
            if resting {
                self.learn(now_ms, frame);
            }
            return SceneState::Unknown;
        };
        let found = reference.compare(frame);
        let told = self.state.unwrap_or(SceneState::Unknown);
        let nothing = found.shows < NOTHING;
        if found.seen >= RIGHT && found.blocks >= 3 {
            (self.wrong, self.last_wrong) = (0, None);
            if resting && found.seen >= PLAINLY_RIGHT && now_ms >= self.followed_ms + FOLLOW_EVERY_MS {
                self.followed_ms = now_ms;
                reference.follow(frame, found.shift, FOLLOW);
                self.changed = true;
            }
            self.state = Some(SceneState::Right);
        } else if resting || nothing {
            let stands = match &self.last_wrong {
                Some(last) => nothing || last.blocks() < LEAST_BLOCKS || last.compare(frame).seen >= STANDS,
                None => true,
            };
            self.wrong = if stands { self.wrong.saturating_add(1) } else { 1 };
            self.last_wrong = Some(frame.clone());
            if self.wrong >= WRONG_FRAMES {
                self.state = Some(if nothing { SceneState::Nothing } else { SceneState::Other });
            }
        }
        match self.state {
            Some(SceneState::Other) => SceneState::Other,
            Some(SceneState::Nothing) => SceneState::Nothing,
            Some(_) | None if self.wrong > 0 => SceneState::Doubtful,
            Some(_) | None => self.state.unwrap_or(told),
        }
    }

    /// Frames that fit one another, some time apart, become the reference.
    fn learn(&mut self, now_ms: u64, frame: &Scene) {
        if frame.blocks() < LEAST_BLOCKS {
            return;
        }
        let Some((mean, count, last_ms)) = &mut self.learning else {
            self.learning = Some((frame.clone(), 1, now_ms));
            return;
        };
        if now_ms < *last_ms + LEARN_EVERY_MS {
            return;
        }
        let found = mean.compare(frame);
        if found.seen < PLAINLY_RIGHT {
            self.learning = Some((frame.clone(), 1, now_ms));
            return;
        }
        *count += 1;
        *last_ms = now_ms;
        mean.follow(frame, found.shift, 1.0 / (*count as f32));
        if *count >= LEARN {
            self.reference = self.learning.take().map(|(mean, ..)| mean);
            self.state = Some(SceneState::Right);
            self.followed_ms = now_ms;
            self.changed = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::scene;
    use super::super::{HEIGHT, WIDTH};
    use super::*;

    /// A watch that knows place 1.
    fn known() -> SceneWatch {
        let mut watch = SceneWatch::default();
        for n in 0..u64::from(LEARN) {
            assert!(watch.take_changed().is_none());
            assert_eq!(watch.frame(n * 1_000, &scene(1, 0, 1.0), true), SceneState::Unknown);
        }
        assert!(watch.take_changed().is_some());
        watch
    }

    #[test]
    fn several_frames_of_another_place_are_told_and_one_of_the_right_one_clears() {
        let mut watch = known();
        assert_eq!(watch.frame(9_000, &scene(1, 1, 0.4), true), SceneState::Right);
        for _ in 1..WRONG_FRAMES {
            assert_eq!(watch.frame(10_000, &scene(2, 0, 1.0), true), SceneState::Doubtful);
        }
        assert_eq!(watch.frame(10_000, &scene(2, 0, 1.0), true), SceneState::Other);
        assert_eq!(watch.frame(10_000, &scene(2, 0, 1.0), false), SceneState::Other);
        assert_eq!(watch.frame(11_000, &scene(1, 0, 1.0), true), SceneState::Right);
    }

    #[test]
    fn a_vehicle_may_hide_the_place_and_a_cover_is_told_all_the_same() {
        let mut watch = known();
        for _ in 0..50 {
            assert_ne!(watch.frame(9_000, &scene(2, 0, 1.0), false), SceneState::Other);
        }
        let covered = Scene::of(&[100; WIDTH * HEIGHT]).unwrap();
        let told: Vec<SceneState> = (0..WRONG_FRAMES).map(|_| watch.frame(9_500, &covered, false)).collect();
        assert_eq!(told.last(), Some(&SceneState::Nothing));
    }

    #[test]
    fn what_drives_through_is_not_learned_and_a_new_place_is_on_request() {
        let mut driving = known();
        for n in 0..20 {
            assert_ne!(driving.frame(9_000, &scene(50 + n, 0, 1.0), true), SceneState::Other);
        }
        let mut watch = SceneWatch::default();
        for n in 0..20 {
            let place = u32::try_from(n).unwrap();
            assert_eq!(watch.frame(n * 1_000, &scene(place, 0, 1.0), true), SceneState::Unknown);
        }
        let mut watch = known();
        watch.forget();
        assert_eq!(watch.frame(0, &scene(2, 0, 1.0), true), SceneState::Unknown);
    }
}
