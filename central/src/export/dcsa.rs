//! Equipment events in the manner of DCSA's track and trace: `GTIN` and `GTOT`, one for each load unit.

use super::{Movement, iso};
use gate_types::identity::Slot;
use gate_types::mission::Direction;
use serde_json::{Value, json};

pub(super) fn events(movements: &[Movement]) -> Vec<Value> {
    movements
        .iter()
        .flat_map(|movement| movement.units().into_iter().map(|unit| event(movement, unit)))
        .collect()
}

fn event(movement: &Movement, unit: &str) -> Value {
    let code = match movement.summary.direction {
        Direction::In => "GTIN",
        Direction::Out => "GTOT",
    };
    let mut event = json!({
        "eventType": "EQUIPMENT",
        "eventID": movement.id(unit),
        "eventClassifierCode": "ACT",
        "eventDateTime": iso(movement.at()),
        "eventCreatedDateTime": iso(movement.recorded()),
        "equipmentEventTypeCode": code,
        "equipmentReference": unit,
        "eventLocation": {
            "UNLocationCode": movement.port.to_string(),
            "facilityCode": movement.event.node.to_string(),
            "facilityCodeListProvider": "ZZZ",
        },
        "documentReferences": movement.mrns().iter().map(|mrn| {
            json!({ "documentReferenceType": "CUS", "documentReferenceValue": mrn })
        }).collect::<Vec<Value>>(),
    });
    let mut put = |key: &str, value: Value| {
        if let Some(event) = event.as_object_mut() {
            event.insert(key.to_owned(), value);
        }
    };
    if let Some(empty) = movement.declared_empty() {
        put("emptyIndicatorCode", json!(if empty { "EMPTY" } else { "LADEN" }));
    }
    if let Some(seal) = movement.read(Slot::Seal) {
        put("seals", json!([{ "sealNumber": seal }]));
    }
    if let Some(plate) = movement.read(Slot::TractorPlate) {
        put("transportCall", json!({ "modeOfTransport": "TRUCK", "vehicleRegistration": plate }));
    }
    event
}
