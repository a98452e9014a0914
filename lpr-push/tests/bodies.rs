//! Bodies of vendors. Their shape is that of `EventNotificationAlert` in Hikvision's ISAPI guide for ANPR and
//! of Milesight's article on the HTTP post of LPR cameras; values are made up.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use gate_types::observation::View;
use lpr_push::auth::{Asked, Credentials, Denied, Guard, Scheme};
use lpr_push::multipart::{boundary, parts};
use lpr_push::{Form, MOST_BODY, PushError, Shot, read};
use proptest::prelude::*;

const ALERT: &str = include_str!("bodies/hikvision-anpr.xml");
const JPEG: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, b'-', b'-', b'\r', b'\n', 0xff, 0xd9];

fn multipart(mark: &str, given: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (head, content) in given {
        body.extend(format!("--{mark}\r\n{head}\r\n\r\n").as_bytes());
        body.extend(*content);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{mark}--\r\n").as_bytes());
    body
}

fn hikvision(body: &[u8], kind: &str) -> Shot {
    read(Form::Hikvision, kind, body).unwrap().unwrap()
}

#[test]
fn an_alert_of_hikvision_alone_and_with_its_pictures() {
    let alone = hikvision(ALERT.as_bytes(), "application/xml; charset=\"UTF-8\"");
    assert_eq!((alone.plate.as_str(), alone.raw.as_str()), ("AB123CD", "AB 123 CD"));
    assert_eq!(alone.event, "5b8c1f5e-0d3a-4f6e-9a51-3f0f2a9d7c11");
    assert_eq!((alone.confidence, alone.at), (Some(0.985), [812.0, 640.0, 190.0, 48.0]));
    let cut = [JPEG, b"cut"].concat();
    let body = multipart(
        "boundary",
        &[
            (
                "Content-Disposition: form-data; name=\"licensePlatePicture.jpg\"; filename=\"licensePlatePicture.jpg\"\r\nContent-Type: application/octet-stream",
                &cut,
            ),
            (
                "Content-Disposition: form-data; name=\"anpr.xml\"; filename=\"anpr.xml\"\r\nContent-Type: text/xml",
                ALERT.as_bytes(),
            ),
            (
                "Content-Disposition: form-data; name=\"detectionPicture.jpg\"\r\nContent-Type: image/jpeg",
                JPEG,
            ),
        ],
    );
    let shot = hikvision(&body, "multipart/form-data; boundary=boundary");
    assert_eq!(shot.pictures, [JPEG.to_vec(), cut], "the scene comes first");
    assert_eq!(Shot { pictures: Vec::new(), ..shot }, alone);
    let read = alone.read(View::Front, "00").unwrap();
    assert!(read.confidence <= 0.97 && read.text == "AB123CD");
}

#[test]
fn other_events_are_no_reading_and_unknown_is_no_plate() {
    let beat = ALERT.replace("<eventType>ANPR", "<eventType>heartBeat");
    assert_eq!(read(Form::Hikvision, "application/xml", beat.as_bytes()), Ok(None));
    let blind = ALERT.replace("AB 123 CD", "unknown").replace("AB123CD", "unknown");
    let shot = hikvision(blind.as_bytes(), "application/xml");
    assert_eq!((shot.plate.as_str(), shot.read(View::Front, "")), ("", None));
    let older =
        ALERT.replace("http://www.isapi.org/ver20/XMLSchema", "http://www.hikvision.com/ver10/XMLSchema");
    assert_eq!(hikvision(older.as_bytes(), "application/xml").plate, "AB123CD");
}

#[test]
fn xml_that_is_not_of_the_form_is_refused_whole() {
    let cut = &ALERT[..ALERT.len() - 30];
    let deep = format!("<EventNotificationAlert>{}", "<a>".repeat(100));
    let bomb = format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{ALERT}");
    let wide = format!("<EventNotificationAlert>{}</EventNotificationAlert>", "<a></a>".repeat(5_000));
    let percent = ALERT.replace("98.5", "lots");
    for bad in [cut, "", "<html></html>", deep.as_str(), bomb.as_str(), wide.as_str(), percent.as_str()] {
        assert!(
            read(Form::Hikvision, "application/xml", bad.as_bytes()).is_err(),
            "{}",
            &bad[..bad.len().min(60)]
        );
    }
    assert_eq!(read(Form::Json, "", &vec![b' '; MOST_BODY + 1]), Err(PushError::Long(MOST_BODY + 1)));
}

#[test]
fn milesight_and_the_neutral_form() {
    let body = include_bytes!("bodies/milesight.json");
    let shot = read(Form::Milesight, "application/json", body).unwrap().unwrap();
    assert_eq!((shot.plate.as_str(), shot.confidence), ("EF456GH", Some(0.93)));
    assert_eq!(shot.at, [100.0, 200.0, 150.0, 40.0]);
    assert_eq!(shot.event, "2026-11-22 17:03:11.250 EF456GH");
    assert_eq!(shot.pictures.len(), 1);
    let body = br#"{"event":"e-1","plate":"ef-456 gh","confidence":0.5,"region":"it","box":[1,2,3,4]}"#;
    let shot = read(Form::Json, "application/json", body).unwrap().unwrap();
    assert_eq!(
        (shot.plate.as_str(), shot.raw.as_str(), shot.region.as_deref()),
        ("EF456GH", "ef-456 gh", Some("IT"))
    );
    for bad in [
        &br#"{"event":"e","plate":"A","confidence":1.5}"#[..],
        br#"{"event":"","plate":"A"}"#,
        br#"{"event":"e","plate":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#,
        br#"{"event":"e","plate":"A","box":[1,2,3]}"#,
        br#"{"event":"e","plate":"A","open":true}"#,
        br#"["#,
    ] {
        assert!(read(Form::Json, "", bad).is_err(), "{}", String::from_utf8_lossy(bad));
    }
}

/// The worked example of RFC 7616, 3.9.1, gives the arithmetic; curl in `tests` gives an independent client.
#[test]
fn only_the_right_password_under_a_fresh_nonce_comes_in() {
    let guard = Guard::new([9; 32]);
    let basic = Credentials { scheme: Scheme::Basic, user: "cam".into(), password: "s3cret".into() };
    let asked = |authorization| Asked { method: "POST", target: "/push/front", authorization, now_ms: 1_000 };
    assert_eq!(guard.check(&basic, &asked(Some("Basic Y2FtOnMzY3JldA=="))), Ok(()));
    for bad in
        [None, Some("Basic Y2FtOndyb25n"), Some("Basic"), Some("Bearer Y2FtOnMzY3JldA=="), Some("Basic !!")]
    {
        assert_eq!(guard.check(&basic, &asked(bad)), Err(Denied { stale: false }), "{bad:?}");
    }
    let digest = Credentials { scheme: Scheme::Digest, ..basic };
    let told = guard.challenges(Scheme::Digest, 1_000, false);
    assert!(told[0].contains("SHA-256") && told[1].contains("MD5"), "{told:?}");
    let junk = Some(
        "Digest username=\"cam\", realm=\"varco\", nonce=\"x-y\", uri=\"/push/front\", qop=auth, response=\"00\"",
    );
    assert_eq!(guard.check(&digest, &asked(junk)), Err(Denied { stale: false }));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2_000), form in 0..3) {
        let form = [Form::Hikvision, Form::Milesight, Form::Json][form as usize];
        let _any = read(form, "multipart/form-data; boundary=b", &bytes);
        let _any = read(form, "application/xml", &bytes);
    }

    #[test]
    fn an_alert_that_was_damaged_anywhere_never_panics(at in 0..ALERT.len(), byte in any::<u8>()) {
        let mut bytes = ALERT.as_bytes().to_vec();
        bytes[at] = byte;
        let _any = read(Form::Hikvision, "application/xml", &bytes);
    }

    #[test]
    fn parts_come_back_as_they_were_written(contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..8)) {
        let given: Vec<(&str, &[u8])> = contents.iter().map(|c| ("Content-Type: image/jpeg", c.as_slice())).collect();
        let body = multipart("0123456789abcdef0123456789abcdef", &given);
        let mark = boundary("multipart/mixed; boundary=\"0123456789abcdef0123456789abcdef\"").unwrap();
        let found = parts(mark, &body).unwrap();
        prop_assert_eq!(found.iter().map(|p| p.body.to_vec()).collect::<Vec<_>>(), contents);
    }

    #[test]
    fn any_authorization_is_let_in_or_not(header in "\\PC{0,300}") {
        let guard = Guard::new([9; 32]);
        for scheme in [Scheme::Basic, Scheme::Digest] {
            let credentials = Credentials { scheme, user: "cam".into(), password: "s3cret".into() };
            let text = format!("Digest {header}");
            for authorization in [Some(header.as_str()), Some(text.as_str())] {
                let asked = Asked { method: "POST", target: "/push/x", authorization, now_ms: 5 };
                prop_assert!(guard.check(&credentials, &asked).is_err());
            }
        }
    }
}
