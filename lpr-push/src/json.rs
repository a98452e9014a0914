//! JSON bodies: Milesight's, whose values are all texts, and the neutral one.

use crate::{PushError, Shot, share};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

/// Longest picture as base64, bytes.
const MOST_PICTURE: usize = 8 << 20;

fn form(error: serde_json::Error) -> PushError {
    PushError::Form(format!("no JSON of this form: {error}"))
}

/// A picture in base64, with or without a `data:` head; one that cannot be decoded is left out.
fn picture(text: &str) -> Option<Vec<u8>> {
    let text = text.split_once("base64,").map_or(text, |(_, rest)| rest);
    if text.is_empty() || text.len() > MOST_PICTURE {
        return None;
    }
    let tight: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(tight).ok()
}

/// Milesight network cameras with LPR, `HTTP post` in their notification settings. Keys may be absent: the
/// user chooses them; values are texts, of some firmware numbers.
pub(super) fn milesight(body: &[u8]) -> Result<Shot, PushError> {
    let told: Value = serde_json::from_slice(body).map_err(form)?;
    let Value::Object(map) = &told else {
        return Err(PushError::Form("no JSON object".to_owned()));
    };
    let text = |key: &str| match map.get(key) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => String::new(),
    };
    let number = |key: &str| text(key).parse::<f32>().ok();
    if !map.contains_key("license_plate") {
        return Err(PushError::Field { field: "license_plate", why: "missing".to_owned() });
    }
    let edges = ["coordinate_x1", "coordinate_y1", "coordinate_x2", "coordinate_y2"].map(number);
    let at = match edges {
        [Some(x1), Some(y1), Some(x2), Some(y2)] => [x1, y1, x2 - x1, y2 - y1],
        _ => [0.0; 4],
    };
    let (time, raw) = (text("time"), text("license_plate"));
    let keys = ["full_snapshot", "vehicle_snapshot", "license_plate_snapshot"];
    Ok(Shot {
        // The camera gives no name: one vehicle is one time and plate.
        event: format!("{time} {raw}"),
        raw,
        confidence: number("confidence").map(share),
        region: Some(text("region")).filter(|r| r.len() <= 3),
        device_time: time,
        at,
        pictures: keys.iter().filter_map(|key| picture(&text(key))).collect(),
        ..Shot::default()
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Neutral {
    event: String,
    plate: String,
    #[serde(default)]
    confidence: Option<f32>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    time: String,
    #[serde(default, rename = "box")]
    at: Option<[f32; 4]>,
    #[serde(default)]
    pictures: Vec<String>,
}

/// The neutral body.
pub(super) fn neutral(body: &[u8]) -> Result<Shot, PushError> {
    let told: Neutral = serde_json::from_slice(body).map_err(form)?;
    Ok(Shot {
        event: told.event,
        raw: told.plate,
        confidence: told.confidence,
        region: told.region,
        device_time: told.time,
        at: told.at.unwrap_or_default(),
        pictures: told.pictures.iter().filter_map(|text| picture(text)).collect(),
        ..Shot::default()
    })
}
