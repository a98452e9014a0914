//! Bodies kept as files, and any bytes, for every form: taken whole or refused.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use lpr_push::multipart::{boundary, parts};
use lpr_push::{Form, read};
use proptest::prelude::*;

const KINDS: [&str; 6] = [
    "application/xml",
    "application/json",
    "multipart/form-data; boundary=b",
    "multipart/form-data; boundary=\"\"",
    "text/plain",
    "",
];

fn swallow(body: &[u8]) {
    for kind in KINDS {
        for form in [Form::Hikvision, Form::Milesight, Form::Json] {
            if let Ok(Some(shot)) = read(form, kind, body) {
                assert!(shot.plate.len() <= 32 && shot.confidence.is_none_or(|c| (0.0..=1.0).contains(&c)));
            }
        }
        if let Some(mark) = boundary(kind) {
            let _any = parts(mark, body);
        }
    }
}

#[test]
fn the_corpus_is_borne() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        swallow(&std::fs::read(entry.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files >= 8, "{files}");
}

proptest! {
    #[test]
    fn any_bytes_are_borne(body in prop::collection::vec(any::<u8>(), 0..400)) {
        swallow(&body);
    }

    #[test]
    fn a_cut_body_is_no_other_plate(end in 0usize..2_000) {
        let whole = include_bytes!("bodies/hikvision-anpr.xml");
        let cut = &whole[..end.min(whole.len())];
        if let Ok(Some(shot)) = read(Form::Hikvision, "application/xml", cut) {
            prop_assert_eq!(shot.plate, "AB123CD");
        }
    }
}
