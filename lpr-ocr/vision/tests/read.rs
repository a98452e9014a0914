//! `varco-ocr read`, `score` and `watch` on good, broken and hostile files.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use opencv::core::{CV_8UC1, CV_8UC3, Mat, Scalar};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

fn run(args: &[&str], files: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_varco-ocr")).args(args).args(files).output().unwrap()
}

fn lines(out: &Output) -> Vec<serde_json::Value> {
    let text = String::from_utf8(out.stdout.clone()).unwrap();
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn grey(path: &Path, width: i32, height: i32) {
    let mat = Mat::new_rows_cols_with_default(height, width, CV_8UC1, Scalar::all(120.0)).unwrap();
    assert!(opencv::imgcodecs::imwrite_def(path, &mat).unwrap());
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
    grey(&at("dot.png"), 1, 1);
    grey(&at("strip.png"), 20_000, 20);
    // A picture whose coded data are noise, with a right header and a right end.
    let mut noise = good.clone();
    let from = noise.windows(2).position(|w| w == [0xff, 0xda]).unwrap() + 14;
    let to = noise.len() - 2;
    for (n, b) in noise[from..to].iter_mut().enumerate() {
        *b = (n * 37 % 251) as u8;
    }
    std::fs::write(at("noise.jpg"), noise).unwrap();

    let bad = [
        ("cut.jpg", "truncated"),
        ("empty.jpg", "empty"),
        ("text.jpg", "neither"),
        ("bomb.png", "70000"),
        ("missing.jpg", "cannot be read"),
        ("dot.png", "1 x 1"),
        ("strip.png", "20000 x 20"),
        ("", "no file"),
    ];
    let mut files: Vec<_> = bad.iter().map(|b| at(b.0)).collect();
    files.push(at("good.jpg"));
    files.push(at("noise.jpg"));
    let started = Instant::now();
    let out = run(&["read", "--json"], &files.iter().map(|f| f.as_path()).collect::<Vec<_>>());
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    assert_eq!(out.status.code(), Some(1));
    let lines = lines(&out);
    assert_eq!(lines.len(), files.len());
    for (line, (file, word)) in lines.iter().zip(bad) {
        let error = line["error"].as_str().unwrap_or_default();
        assert!(error.contains(word), "{file}: {line}");
    }
    let good = &lines[bad.len()];
    assert_eq!((&good["width"], &good["height"]), (&400.into(), &300.into()));
    assert!(good["reads"].as_array().unwrap().is_empty(), "an empty wall says nothing: {good}");
    assert_eq!(run(&["read", "--json"], &[&at("good.jpg")]).status.code(), Some(0));
    let plain = run(&["read"], &[&at("good.jpg"), &at("cut.jpg")]);
    let text = String::from_utf8_lossy(&plain.stdout).into_owned();
    assert!(text.contains("good.jpg: nothing read") && text.contains("cut.jpg: error"), "{text}");
}

/// The shipped models with a card and files of one's own.
fn models(change: impl FnOnce(&Path)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    for entry in std::fs::read_dir(shipped).unwrap() {
        let file = entry.unwrap();
        std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    change(folder.path());
    folder
}

fn refusal(folder: &Path) -> String {
    let out = run(&["read", "--models"], &[folder, Path::new("x.jpg")]);
    assert_eq!(out.status.code(), Some(1));
    String::from_utf8_lossy(&out.stderr).into_owned()
}

#[test]
fn models_that_do_not_fit_are_refused_by_name() {
    let flipped = models(|at| {
        let mut bytes = std::fs::read(at.join("reader.onnx")).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(at.join("reader.onnx"), bytes).unwrap();
    });
    let text = refusal(flipped.path());
    assert!(text.contains("reader.onnx") && text.contains("checksum"), "{text}");

    let card = |text: &str| {
        let text = text.to_owned();
        models(move |at| std::fs::write(at.join("models.toml"), text).unwrap())
    };
    let size = "width_px = 192\nheight_px = 48\n";
    let short = card(&format!("alphabet = \"0123456789\"\n[reader]\nfile = \"reader.onnx\"\n{size}"));
    let text = refusal(short.path());
    assert!(text.contains("reader reader.onnx") && text.contains("[1, 11, 96]"), "{text}");

    let wrong = card(&format!("[reader]\nfile = \"models.toml\"\n{size}"));
    let text = refusal(wrong.path());
    assert!(text.contains("reader models.toml") && text.contains("ONNX"), "{text}");
}

#[test]
fn a_score_counts_what_is_empty_and_what_is_broken() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    grey(&at("wall.png"), 640, 480);
    std::fs::write(at("broken.jpg"), b"x").unwrap();
    std::fs::write(at("truth.csv"), "file,text,region\nwall.png,,\nbroken.jpg,AB123CD,eu\n").unwrap();
    let sheet = at("sheet.jpg");
    let (truth, features) = (at("truth.csv"), at("features.csv"));
    let path = |p: &Path| p.display().to_string();
    let args = ["score", "--json", "--times", "1", "--truth", &path(&truth)].map(str::to_owned);
    let more = ["--sheet", &path(&sheet), "--features", &path(&features)].map(str::to_owned);
    let all: Vec<&str> = args.iter().chain(&more).map(String::as_str).collect();
    let out = run(&all, &[]);
    assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
    let s = &lines(&out)[0];
    assert_eq!(
        (&s["all"]["truths"], &s["all"]["no_read"], &s["empty"]["pictures"]),
        (&1.into(), &1.into(), &1.into())
    );
    assert!(s["failures"][0]["error"].as_str().unwrap().contains("neither"), "{s}");
    assert!(sheet.exists() && std::fs::read_to_string(&features).unwrap().starts_with("kind,right"));
}

#[test]
fn a_folder_of_empty_frames_has_no_objects() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..3 {
        grey(&folder.path().join(format!("{n}.png")), 640, 480);
    }
    std::fs::write(folder.path().join("9.jpg"), b"x").unwrap();
    let out = run(&["watch"], &[folder.path()]);
    assert_eq!(
        (out.status.code(), out.stdout.len()),
        (Some(0), 0),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    // Watched for new pictures, none of them is left out.
    let url = format!("dir://{}", folder.path().display());
    let watched = run(&["watch", "--frames", "3", &url], &[]);
    assert_eq!((watched.status.code(), watched.stdout.len()), (Some(0), 0));
    let missing = run(&["watch"], &[Path::new("/nowhere/frames")]);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("/nowhere/frames"));
}
