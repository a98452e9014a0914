//! Cameras that read plates by themselves and push what they read by HTTP: the bodies of vendors, and the
//! authentication that their firmware offers. Pure: bytes in, shots out; the daemon owns the sockets.
//!
//! Every body is bounded before it is parsed; what does not fit is refused with the field that is wrong, and
//! never half taken.

pub mod auth;
mod hikvision;
mod json;
pub mod multipart;

use gate_types::observation::{CheckDigit, OpticalRead, PixelBox, ReadKind, View};
use gate_types::plate::Plate;

/// Longest body, bytes: an XML and three pictures of a 4K camera.
pub const MOST_BODY: usize = 12 << 20;
/// Longest plate as told, characters.
const MOST_PLATE: usize = 20;
/// Longest name of an event, characters.
const MOST_ID: usize = 128;
/// Pictures of one shot that are kept.
const MOST_PICTURES: usize = 4;
/// What a camera's reading is worth at most: its own figure is not calibrated.
const MOST_CONFIDENCE: f32 = 0.97;
/// What it is worth where the camera gives no figure.
const UNTOLD_CONFIDENCE: f32 = 0.7;

/// The forms of body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Hikvision ISAPI `EventNotificationAlert` as XML, alone or in a multipart with its pictures.
    Hikvision,
    /// Milesight's JSON, all values texts.
    Milesight,
    /// The neutral JSON of `docs/wire/push-camera.md`.
    Json,
}

impl Form {
    /// By the name in an endpoint.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "hikvision" => Some(Self::Hikvision),
            "milesight" => Some(Self::Milesight),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// Why a body is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// Too long.
    #[error("body of {0} bytes, at most {MOST_BODY} are taken")]
    Long(usize),
    /// Not of the form.
    #[error("{0}")]
    Form(String),
    /// A field is missing or does not hold.
    #[error("field `{field}`: {why}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is wrong.
        why: String,
    },
}

/// One reading of one vehicle by one camera.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shot {
    /// The camera's name of the event; a second upload of the same event has the same one.
    pub event: String,
    /// The plate, canonical (capitals and digits); empty where the camera could not read it.
    pub plate: String,
    /// As the camera told it.
    pub raw: String,
    /// Probability in 0..=1 as the camera told it.
    pub confidence: Option<f32>,
    /// Country as the camera told it.
    pub region: Option<String>,
    /// The camera's own clock, as text.
    pub device_time: String,
    /// Where on the frame, pixels or the camera's own units; all zero where it does not tell.
    pub at: [f32; 4],
    /// Pictures (JPEG), the scene before the cut-out plate where the camera tells which is which.
    pub pictures: Vec<Vec<u8>>,
}

impl Shot {
    /// The reading as the lane takes it; none where there is no plate.
    pub fn read(&self, view: View, frame_sha256: &str) -> Option<OpticalRead> {
        if self.plate.is_empty() {
            return None;
        }
        let told = self.confidence.unwrap_or(UNTOLD_CONFIDENCE);
        Some(OpticalRead {
            kind: ReadKind::Plate,
            view,
            text: self.plate.clone(),
            raw_text: self.raw.clone(),
            confidence: told.clamp(0.0, MOST_CONFIDENCE),
            check_digit: CheckDigit::None,
            region: self.region.clone(),
            type_code: None,
            alternatives: Vec::new(),
            at: PixelBox { x: self.at[0], y: self.at[1], w: self.at[2], h: self.at[3] },
            frame_sha256: frame_sha256.to_owned(),
        })
    }
}

/// Reads a request's body. `Ok(None)`: a message of the camera that is no reading (a heartbeat).
pub fn read(form: Form, content_type: &str, body: &[u8]) -> Result<Option<Shot>, PushError> {
    if body.len() > MOST_BODY {
        return Err(PushError::Long(body.len()));
    }
    let shot = match form {
        Form::Hikvision => hikvision::read(content_type, body)?,
        Form::Milesight => Some(json::milesight(body)?),
        Form::Json => Some(json::neutral(body)?),
    };
    shot.map(checked).transpose()
}

/// The plate made canonical, lengths held.
fn checked(mut shot: Shot) -> Result<Shot, PushError> {
    let field = |field, why: String| Err(PushError::Field { field, why });
    if shot.raw.chars().count() > MOST_PLATE {
        return field("plate", format!("more than {MOST_PLATE} characters"));
    }
    if shot.event.is_empty() || shot.event.len() > MOST_ID {
        return field("event", format!("1 to {MOST_ID} bytes"));
    }
    let nothing = shot.raw.is_empty() || shot.raw.eq_ignore_ascii_case("unknown");
    shot.plate = if nothing { String::new() } else { canonical(&shot.raw) };
    if let Some(told) = shot.confidence
        && !(0.0..=1.0).contains(&told)
    {
        return field("confidence", format!("{told} is not 0 to 1 (or 0 to 100 percent)"));
    }
    if shot.at.iter().any(|v| !v.is_finite()) {
        return field("box", "not a number".to_owned());
    }
    shot.region = shot.region.filter(|r| !r.is_empty() && r.len() <= 8).map(|r| r.to_ascii_uppercase());
    shot.device_time.truncate(shot.device_time.floor_char_boundary(40));
    shot.pictures.retain(|p| p.starts_with(&[0xff, 0xd8]));
    shot.pictures.truncate(MOST_PICTURES);
    Ok(shot)
}

fn canonical(raw: &str) -> String {
    Plate::parse(raw).map_or_else(
        |_| raw.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect(),
        String::from,
    )
}

/// Percent or share, as cameras tell it.
fn share(told: f32) -> f32 {
    if told > 1.0 { told / 100.0 } else { told }
}
