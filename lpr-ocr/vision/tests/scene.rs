//! The scene measure over a rendered day: sun, moving shadows, dusk, night, rain, trucks in view; and other places.
//! Prints the figures of docs/measured.md.

use lpr_ocr::scene::{HEIGHT, Scene, SceneState, SceneWatch, WIDTH};
use opencv::core::{Mat, MatTraitConstManual as _, Size, Vector};
use opencv::{imgcodecs, imgproc};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sim::render::camera::Light;
use sim::render::{Look, empty_scene, truck_at};

/// Part of the reference below which a frame is doubted (`SceneWatch`).
const RIGHT: f32 = 0.42;

/// A frame as the worker reduces it.
fn reduced(jpeg: &[u8]) -> Vec<u8> {
    let data = Vector::from_slice(jpeg);
    let grey = imgcodecs::imdecode(&data, imgcodecs::IMREAD_REDUCED_GRAYSCALE_8).unwrap();
    let mut small = Mat::default();
    let size = Size::new(i32::try_from(WIDTH).unwrap(), i32::try_from(HEIGHT).unwrap());
    imgproc::resize(&grey, &mut small, size, 0.0, 0.0, imgproc::INTER_AREA).unwrap();
    small.data_bytes().unwrap().to_vec()
}

/// The light of an hour, 0..24: night below lamps, low sun with long shadows, noon.
fn light(hour: f32, rng: &mut ChaCha8Rng) -> Light {
    let height = ((hour - 6.0) / 12.0 * std::f32::consts::PI).sin();
    let mut light = Light::random(rng);
    light.gain = if height > 0.0 { 0.5 + 0.6 * height } else { 0.22 };
    light.noise = if height > 0.0 { 3.0 } else { 9.0 };
    light.shadow_x = if height > 0.1 { (hour - 6.0) / 12.0 } else { 2.0 };
    light
}

/// Streaks of rain: two pixels wide and 24 grey values bright on the frame, so a quarter of that when it is reduced.
fn rain(grey: &mut [u8], drops: usize, rng: &mut ChaCha8Rng) {
    for _ in 0..drops {
        let (x, y, long) =
            (rng.random_range(0..WIDTH), rng.random_range(0..HEIGHT - 8), rng.random_range(2..8));
        for dy in 0..long {
            let p = &mut grey[(y + dy) * WIDTH + x];
            *p = p.saturating_add(6);
        }
    }
}

fn share(n: u32, of: u32) -> f64 {
    100.0 * f64::from(n) / f64::from(of)
}

#[test]
fn a_day_and_a_night_in_rain_are_the_same_place_and_another_place_is_not() {
    let (mut frames, mut alarms, mut least) = (0, 0, f32::MAX);
    let (mut others, mut missed, mut turned) = (0, 0, 0);
    for place in 0..3u64 {
        let mut rng = ChaCha8Rng::seed_from_u64(1_000 + place);
        let empty = |hour: f32, place: u64, rng: &mut ChaCha8Rng| {
            let prepared = empty_scene(light(hour, rng), &mut ChaCha8Rng::seed_from_u64(place));
            reduced(&prepared.frame(rng).0)
        };
        let mut watch = SceneWatch::default();
        let mut now_ms = 0;
        // Learned at ten, then two days at a frame every twenty minutes of the clock; a third of them in rain.
        for _ in 0..5 {
            watch.frame(now_ms, &Scene::of(&empty(10.0, place, &mut rng)).unwrap(), true);
            now_ms += 1_500;
        }
        let learned = watch.take_changed().cloned().expect("five frames of a place are learned");
        for minute in (0..2 * 24 * 60).step_by(20) {
            let hour = (10.0 + f64::from(minute) / 60.0) % 24.0;
            let mut grey = empty(hour as f32, place, &mut rng);
            if minute % 60 == 0 {
                rain(&mut grey, 400, &mut rng);
            }
            now_ms += 1_200_000;
            let frame = Scene::of(&grey).unwrap();
            least = least.min(learned.compare(&frame).seen);
            let told = watch.frame(now_ms, &frame, true);
            frames += 1;
            alarms += u32::from(told != SceneState::Right);
            // Another place by the same light.
            others += 1;
            let elsewhere =
                Scene::of(&empty(hour as f32, place + 50 + u64::try_from(minute).unwrap(), &mut rng));
            missed += u32::from(learned.compare(&elsewhere.unwrap()).seen >= RIGHT);
            // Turned by a tenth of the picture.
            let mut aside = grey.clone();
            for row in aside.chunks_exact_mut(WIDTH) {
                row.rotate_right(WIDTH / 10);
            }
            turned += u32::from(learned.compare(&Scene::of(&aside).unwrap()).seen >= RIGHT);
        }
    }
    println!("resting: {frames} frames, {alarms} doubted, least part seen {least:.2}");
    println!("turned by a tenth: {turned} of {others} taken for the learned place, another yard: {missed}");
    assert!(share(turned, others) < 1.0, "{turned} of {others}");
    assert!(share(alarms, frames) < 0.5, "{alarms} of {frames}");
    // The yards that are drawn have horizon, walls and lines at much the same places.
    assert!(share(missed, others) < 10.0, "{missed} of {others}");
}

#[test]
fn a_truck_in_view_of_a_resting_camera() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let (mut doubted, mut frames) = (0, 0);
    for place in 0..20u64 {
        let noon = light(12.0, &mut rng);
        let empty = |rng: &mut ChaCha8Rng| {
            let frame = empty_scene(noon, &mut ChaCha8Rng::seed_from_u64(place)).frame(rng).0;
            Scene::of(&reduced(&frame)).unwrap()
        };
        let learned = empty(&mut rng);
        for view in [gate_types::observation::View::Front, gate_types::observation::View::Rear] {
            let look = Look::random(sim::world::ident::Home::random(&mut rng), true, &mut rng);
            let truck = truck_at(place, &look, view, light(12.0, &mut rng), &mut rng).frame(&mut rng).0;
            let seen = learned.compare(&Scene::of(&reduced(&truck)).unwrap()).seen;
            frames += 1;
            doubted += u32::from(seen < RIGHT);
        }
    }
    println!("a truck fills the picture of a resting camera: {doubted} of {frames} frames doubted");
}
