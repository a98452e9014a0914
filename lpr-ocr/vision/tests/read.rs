//! `varco-ocr read` on good, broken and hostile files.

use opencv::core::{CV_8UC3, Mat, Scalar};
use std::path::Path;
use std::process::{Command, Output};

fn read(args: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_varco-ocr")).arg("read").args(args).output().unwrap()
}

#[test]
fn a_broken_file_is_named_and_the_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mat = Mat::new_rows_cols_with_default(300, 400, CV_8UC3, Scalar::all(120.0)).unwrap();
    assert!(opencv::imgcodecs::imwrite_def(at("good.jpg"), &mat).unwrap());
    let good = std::fs::read(at("good.jpg")).unwrap();
    std::fs::write(at("cut.jpg"), &good[..good.len() / 2]).unwrap();
    std::fs::write(at("empty.jpg"), b"").unwrap();
    std::fs::write(at("text.jpg"), b"not a picture").unwrap();
    let mut bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\x11\x70\0\x01\x11\x70\x08\x02\0\0\0".to_vec();
    bomb.extend(b"IEND");
    std::fs::write(at("bomb.png"), bomb).unwrap();

    let files = ["cut.jpg", "empty.jpg", "text.jpg", "bomb.png", "missing.jpg", "good.jpg"].map(at);
    let out = read(&files.iter().map(|f| f.as_path()).collect::<Vec<_>>());
    assert_eq!(out.status.code(), Some(1));
    let lines: Vec<serde_json::Value> =
        String::from_utf8(out.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 6);
    for (line, word) in lines.iter().zip(["truncated", "empty", "neither", "70000", "cannot be read"]) {
        let error = line["error"].as_str().unwrap_or_default();
        assert!(error.contains(word), "{line}");
    }
    assert_eq!(lines[5]["width"], 400);
    assert!(lines[5]["reads"].as_array().unwrap().is_empty(), "an empty wall says nothing: {}", lines[5]);
    assert_eq!(read(&[&at("good.jpg")]).status.code(), Some(0));
}

#[test]
fn models_with_a_wrong_checksum_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    for file in ["models.toml", "reader.onnx", "detector.onnx"] {
        std::fs::copy(shipped.join(file), folder.path().join(file)).unwrap();
    }
    let mut bytes = std::fs::read(folder.path().join("reader.onnx")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(folder.path().join("reader.onnx"), bytes).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_varco-ocr"))
        .args(["read", "--models"])
        .arg(folder.path())
        .arg("x.jpg")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1));
    assert!(text.contains("reader.onnx") && text.contains("checksum"), "{text}");
}
