//! EPCIS 2.0 in JSON-LD: an `ObjectEvent` at the read point, and an `AssociationEvent` that says which units the
//! vehicle carried. Identifiers: `urn:epc:id:bic:` for ISO 6346 codes (GS1 EPC Tag Data Standard 2.0, 6.3.16), own URNs
//! below `urn:x-varco:` for plates, nodes and lanes, which GS1 has no keys for.

use super::{Movement, iso};
use gate_types::identity::Slot;
use gate_types::mission::Direction;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

const CONTEXT: &str = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld";

pub(super) fn document(movements: &[Movement], now: OffsetDateTime) -> Value {
    let events: Vec<Value> = movements.iter().flat_map(events).collect();
    json!({
        "@context": [CONTEXT, { "varco": "urn:x-varco:" }],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": iso(now),
        "epcisBody": { "eventList": events },
    })
}

fn events(movement: &Movement) -> Vec<Value> {
    let mut objects: Vec<String> = movement.units().into_iter().map(unit).collect();
    if let Some(mission) = &movement.mission {
        objects.push(format!("urn:uuid:{}", mission.iot_id));
    }
    let plate = movement.read(Slot::TractorPlate).map(plate);
    objects.extend(plate.clone());
    objects.extend(movement.read(Slot::TrailerPlate).map(self::plate));
    let mut all = Vec::new();
    if !objects.is_empty() {
        let mut event = common(movement, "ObjectEvent", "object");
        event.insert("epcList".into(), json!(objects));
        all.push(Value::Object(event));
    }
    let units: Vec<String> = movement.units().into_iter().map(unit).collect();
    if let (Some(plate), false) = (plate, units.is_empty()) {
        let mut event = common(movement, "AssociationEvent", "association");
        event.insert("parentID".into(), json!(plate));
        event.insert("childEPCs".into(), json!(units));
        all.push(Value::Object(event));
    }
    all
}

fn common(movement: &Movement, kind: &str, part: &str) -> Map<String, Value> {
    let (port, node) = (&movement.port, &movement.event.node);
    let mut event = Map::new();
    let mut put = |key: &str, value: Value| {
        event.insert(key.to_owned(), value);
    };
    put("type", json!(kind));
    put("eventID", json!(format!("urn:uuid:{}", movement.id(part))));
    put("eventTime", json!(iso(movement.at())));
    put("eventTimeZoneOffset", json!("+00:00"));
    put("recordTime", json!(iso(movement.recorded())));
    put("action", json!("OBSERVE"));
    put("bizStep", json!("entering_exiting"));
    put("disposition", json!("in_transit"));
    put("readPoint", json!({ "id": format!("urn:x-varco:{port}:node:{node}:lane:{}", movement.lane()) }));
    put("bizLocation", json!({ "id": format!("urn:x-varco:{port}:node:{node}") }));
    let mrns: Vec<Value> = movement
        .mrns()
        .iter()
        .map(|mrn| json!({ "type": "urn:x-varco:mrn", "bizTransaction": format!("urn:x-varco:mrn:{mrn}") }))
        .collect();
    if !mrns.is_empty() {
        put("bizTransactionList", json!(mrns));
    }
    if let Some(weight) = &movement.summary.identity.weight {
        // The vehicle with all that it carries; never a verified gross mass (VGM).
        put(
            "sensorElementList",
            json!([{ "sensorReport": [{ "type": "Mass", "value": weight.vehicle_gross_kg, "uom": "KGM" }] }]),
        );
    }
    put(
        "varco:direction",
        json!(match movement.summary.direction {
            Direction::In => "in",
            Direction::Out => "out",
        }),
    );
    put("varco:entryHash", json!(movement.event.event.hash));
    event
}

fn unit(code: &str) -> String {
    if gate_types::iso6346::ContainerCode::parse(code).is_ok() {
        format!("urn:epc:id:bic:{code}")
    } else {
        format!("urn:x-varco:unit:{code}")
    }
}

fn plate(text: &str) -> String {
    format!("urn:x-varco:plate:{text}")
}
