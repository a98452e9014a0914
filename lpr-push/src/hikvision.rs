//! Hikvision ISAPI: `EventNotificationAlert` of type `ANPR`, alone or as the XML part of a multipart whose
//! other parts are pictures. Namespaces differ by firmware (`isapi.org`, `hikvision.com`, prefixes of
//! recorders) and are not looked at.

use crate::multipart::{Part, boundary, parts};
use crate::{PushError, Shot, share};
use quick_xml::Reader;
use quick_xml::events::Event;

/// Longest XML, bytes.
const MOST_XML: usize = 256 << 10;
/// Most elements of it.
const MOST_ELEMENTS: usize = 4_096;
/// Deepest nesting.
const MOST_DEPTH: usize = 24;

/// Reads a body; `Ok(None)` for an event that is no reading.
pub(super) fn read(content_type: &str, body: &[u8]) -> Result<Option<Shot>, PushError> {
    let Some(mark) = boundary(content_type) else { return alert(body) };
    let parts = parts(mark, body).map_err(PushError::Form)?;
    let Some(xml) = parts.iter().find(|p| is_xml(p)) else {
        return Err(PushError::Form("no XML among the parts".to_owned()));
    };
    let Some(mut shot) = alert(xml.body)? else { return Ok(None) };
    let mut pictures: Vec<&Part<'_>> = parts.iter().filter(|p| p.body.starts_with(&[0xff, 0xd8])).collect();
    // The scene before the cut-out plate.
    pictures.sort_by_key(|p| p.has("licensePlatePicture"));
    shot.pictures = pictures.into_iter().map(|p| p.body.to_vec()).collect();
    Ok(Some(shot))
}

/// Some firmware calls it octet-stream: the first sign counts.
fn is_xml(part: &Part<'_>) -> bool {
    let text = part.body.trim_ascii_start();
    part.has("/xml") || text.starts_with(b"<?xml") || text.starts_with(b"<EventNotificationAlert")
}

#[derive(Default)]
struct Fields {
    kind: String,
    id: String,
    time: String,
    plate: String,
    original: String,
    confidence: String,
    country: String,
    rect: [Option<f32>; 4],
}

fn alert(xml: &[u8]) -> Result<Option<Shot>, PushError> {
    let fields = fields(xml)?;
    if !fields.kind.eq_ignore_ascii_case("ANPR") {
        return Ok(None);
    }
    // What the camera saw counts before what a list of it made out of that.
    let raw = if fields.original.is_empty() { fields.plate } else { fields.original };
    let confidence = match fields.confidence.trim() {
        "" => None,
        text => Some(text.parse::<f32>().map(share).map_err(|_| PushError::Field {
            field: "confidenceLevel",
            why: format!("`{}` is not a number", text.chars().take(20).collect::<String>()),
        })?),
    };
    let event = if fields.id.is_empty() { format!("{} {raw}", fields.time) } else { fields.id };
    Ok(Some(Shot {
        event,
        raw,
        confidence,
        region: Some(fields.country),
        device_time: fields.time,
        at: fields.rect.map(Option::unwrap_or_default),
        ..Shot::default()
    }))
}

/// The texts of the elements that matter, by their place.
fn fields(xml: &[u8]) -> Result<Fields, PushError> {
    if xml.len() > MOST_XML {
        return Err(PushError::Form(format!("XML of {} bytes, at most {MOST_XML} are taken", xml.len())));
    }
    let broken = |why: String| PushError::Form(format!("no XML of this form: {why}"));
    let mut reader = Reader::from_reader(xml);
    let (mut path, mut out, mut count) = (Vec::<String>::new(), Fields::default(), 0);
    let mut rooted = false;
    loop {
        match reader.read_event().map_err(|e| broken(e.to_string()))? {
            Event::Eof if path.is_empty() && rooted => return Ok(out),
            Event::Eof => return Err(broken("it ends too early".to_owned())),
            Event::Start(start) => {
                count += 1;
                let name = start.local_name().as_ref().to_owned();
                if path.is_empty() && name != "EventNotificationAlert" {
                    let name: String = name.chars().take(40).collect();
                    return Err(broken(format!("its root is `{name}`, not `EventNotificationAlert`")));
                }
                rooted = true;
                path.push(name);
                if count > MOST_ELEMENTS || path.len() > MOST_DEPTH {
                    return Err(broken("too many or too deep elements".to_owned()));
                }
            }
            Event::End(_) => drop(path.pop()),
            Event::Text(text) => {
                let text: &str = &text;
                keep(&mut out, &path, text.trim());
            }
            Event::DocType(_) => return Err(broken("it declares a document type".to_owned())),
            Event::Empty(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::GeneralRef(_) => {}
        }
    }
}

fn keep(out: &mut Fields, path: &[String], text: &str) {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    let slot = match names.as_slice() {
        [_, "eventType"] => &mut out.kind,
        [_, "UUID"] => &mut out.id,
        [_, "dateTime"] => &mut out.time,
        [_, "ANPR", "licensePlate"] => &mut out.plate,
        [_, "ANPR", "originalLicensePlate"] => &mut out.original,
        [_, "ANPR", "confidenceLevel"] => &mut out.confidence,
        [_, "ANPR", "country"] => &mut out.country,
        [_, .., "plateRect", edge] => {
            let n = ["X", "Y", "width", "height"].iter().position(|name| name == edge);
            if let Some(place) = n.and_then(|n| out.rect.get_mut(n)) {
                *place = text.parse().ok();
            }
            return;
        }
        _ => return,
    };
    // A text may come in pieces.
    slot.push_str(text);
}
