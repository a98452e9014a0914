//! The model card `models.toml`: what each net takes and gives, and which nets are used. A folder with a
//! card of its own replaces the stages that its card names; the others stay built in.

use anyhow::{Context as _, bail, ensure};
use lpr_ocr::decode::{Alphabet, ObjectClass};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::path::Path;

/// The built-in nets' files.
const BUILT_IN: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/nets.rs"));
const BUILT_IN_CARD: &str = include_str!("../../models/models.toml");
/// Largest model file, bytes.
const MOST_MODEL_BYTES: u64 = 256 << 20;

#[derive(Deserialize)]
struct Card {
    #[serde(default = "unnamed")]
    version: String,
    alphabet: Option<String>,
    classes: Option<Vec<String>>,
    reader: Option<Stage>,
    detector: Option<Stage>,
    aligner: Option<Stage>,
}

fn unnamed() -> String {
    "unnamed".into()
}

/// One net's table in the card.
#[derive(Debug, Clone, Deserialize)]
struct Stage {
    file: String,
    width_px: i32,
    height_px: i32,
    planes: Option<i32>,
    steps: Option<usize>,
    stride_px: Option<i32>,
    #[serde(default)]
    kinds: Vec<String>,
    sha256: Option<String>,
}

/// A net's file with the size of its input.
#[derive(Debug, Clone)]
pub(crate) struct NetFile {
    /// `detector`, `aligner` or `reader`, and the file.
    pub name: String,
    /// The ONNX file's bytes.
    pub bytes: Cow<'static, [u8]>,
    /// Width of the input, pixels.
    pub width_px: i32,
    /// Height of the input, pixels.
    pub height_px: i32,
    /// Planes of the input: grey alone, or grey and the mark of a column.
    pub planes: i32,
    /// First digits of the checksum, and the version.
    pub label: String,
}

/// The detector and its maps.
#[derive(Debug, Clone)]
pub(crate) struct DetectorCard {
    /// The net.
    pub net: NetFile,
    /// Input pixels per cell of the maps.
    pub stride_px: i32,
    /// What each heat map finds, in order.
    pub classes: Vec<ObjectClass>,
}

/// The aligner and what it tells apart.
#[derive(Debug, Clone)]
pub(crate) struct AlignerCard {
    /// The net.
    pub net: NetFile,
    /// What each of its last outputs means, in order.
    pub kinds: Vec<TextKind>,
}

/// The reader and its characters.
#[derive(Debug, Clone)]
pub(crate) struct ReaderCard {
    /// The net.
    pub net: NetFile,
    /// Characters of classes 1, 2, ...; class 0 is the blank.
    pub alphabet: Alphabet,
    /// Steps of both lines together.
    pub steps: usize,
}

/// What the aligner says a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKind {
    /// Nothing to read: a company's name, a telephone number, a bare wall.
    Nothing,
    /// A text of a class; plates of two lines are told apart.
    Text {
        /// The class.
        class: ObjectClass,
        /// A plate of two lines.
        two_rows: bool,
    },
}

/// All nets in use.
#[derive(Debug, Clone)]
pub(crate) struct Models {
    /// Finds objects on a frame.
    pub detector: DetectorCard,
    /// Finds the text's corners in a box.
    pub aligner: AlignerCard,
    /// Reads a crop.
    pub reader: ReaderCard,
}

impl Models {
    /// The built-in models.
    pub(crate) fn built_in() -> anyhow::Result<Self> {
        let find = |name: &str| {
            let found = BUILT_IN.iter().find(|(n, _)| *n == name);
            found.map(|(_, b)| Cow::Borrowed(*b)).with_context(|| format!("{name} is not built in"))
        };
        let card: Card = toml::from_str(BUILT_IN_CARD).context("built-in models.toml")?;
        Self::of(card, "built-in models.toml", &find, None)
    }
    /// The stages that the card of a folder names, the others from `rest`.
    pub(crate) fn from_folder(folder: &Path, rest: Self) -> anyhow::Result<Self> {
        let path = folder.join("models.toml");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{}: a model folder needs models.toml", path.display()))?;
        let at = path.display().to_string();
        let card: Card = toml::from_str(&text).with_context(|| at.clone())?;
        let find = |name: &str| {
            let file = folder.join(name);
            let length = std::fs::metadata(&file).with_context(|| file.display().to_string())?.len();
            ensure!(
                length <= MOST_MODEL_BYTES,
                "{}: {length} bytes, at most {MOST_MODEL_BYTES} are loaded",
                file.display()
            );
            let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
            anyhow::Ok(Cow::Owned(bytes))
        };
        Self::of(card, &at, &find, Some(rest))
    }

    fn of(
        card: Card,
        at: &str,
        find: &dyn Fn(&str) -> anyhow::Result<Cow<'static, [u8]>>,
        rest: Option<Self>,
    ) -> anyhow::Result<Self> {
        if card.reader.is_none() && card.detector.is_none() && card.aligner.is_none() {
            bail!("{at}: names no stage; a table [detector], [aligner] or [reader] is expected");
        }
        let net = |stage: &Stage, name: &str, planes: i32| {
            net_file(stage, name, planes, &card.version, find).with_context(|| format!("{at}: [{name}]"))
        };
        let (mut detector, mut aligner, mut reader) = match rest {
            Some(m) => (Some(m.detector), Some(m.aligner), Some(m.reader)),
            None => (None, None, None),
        };
        if let Some(stage) = &card.detector {
            let net = net(stage, "detector", 1)?;
            let classes = match (&card.classes, detector.take()) {
                (Some(names), _) => classes(names).with_context(|| format!("{at}: classes"))?,
                (None, Some(before)) => before.classes,
                (None, None) => bail!("{at}: `classes` is missing"),
            };
            let stride_px =
                stage.stride_px.with_context(|| format!("{at}: [detector] stride_px is missing"))?;
            ensure!(
                (2..=64).contains(&stride_px)
                    && net.width_px % stride_px == 0
                    && net.height_px % stride_px == 0,
                "{at}: [detector] stride_px = {stride_px}: 2 to 64 and a divisor of width and height expected"
            );
            detector = Some(DetectorCard { net, stride_px, classes });
        }
        if let Some(stage) = &card.aligner {
            let net = net(stage, "aligner", 2)?;
            let kinds = stage.kinds.iter().map(|k| text_kind(k)).collect::<anyhow::Result<Vec<_>>>();
            let kinds = kinds.with_context(|| format!("{at}: [aligner] kinds"))?;
            ensure!(!kinds.is_empty(), "{at}: [aligner] kinds is missing");
            aligner = Some(AlignerCard { net, kinds });
        }
        if let Some(stage) = &card.reader {
            let net = net(stage, "reader", 2)?;
            let alphabet = match (&card.alphabet, reader.take()) {
                (Some(text), _) => Alphabet::new(text).with_context(|| at.to_owned())?,
                (None, Some(before)) => before.alphabet,
                (None, None) => bail!("{at}: `alphabet` is missing"),
            };
            let steps = stage.steps.unwrap_or(96);
            ensure!(
                steps % 2 == 0 && (8..=512).contains(&steps),
                "{at}: [reader] steps = {steps}: an even number from 8 to 512 expected (two lines)"
            );
            reader = Some(ReaderCard { net, alphabet, steps });
        }
        Ok(Self {
            detector: detector.with_context(|| format!("{at}: [detector] is missing"))?,
            aligner: aligner.with_context(|| format!("{at}: [aligner] is missing"))?,
            reader: reader.with_context(|| format!("{at}: [reader] is missing"))?,
        })
    }
    /// Versions and checksums, for the log.
    pub(crate) fn names(&self) -> String {
        let [detector, aligner, reader] =
            [&self.detector.net, &self.aligner.net, &self.reader.net].map(|net| &net.label);
        format!("detector {detector}, aligner {aligner}, reader {reader}")
    }
}

fn net_file(
    stage: &Stage,
    name: &str,
    planes: i32,
    version: &str,
    find: &dyn Fn(&str) -> anyhow::Result<Cow<'static, [u8]>>,
) -> anyhow::Result<NetFile> {
    ensure!(
        Path::new(&stage.file).components().count() == 1 && !stage.file.starts_with('.'),
        "file = `{}`: a file name without a folder is expected",
        stage.file
    );
    for (field, value, most) in [("width_px", stage.width_px, 4_096), ("height_px", stage.height_px, 4_096)] {
        ensure!((16..=most).contains(&value), "{field} = {value}: 16 to {most} expected");
    }
    let planes = stage.planes.unwrap_or(planes);
    ensure!((1..=2).contains(&planes), "planes = {planes}: 1 or 2 expected");
    let bytes = find(&stage.file)?;
    let sum = hex::encode(Sha256::digest(&bytes));
    if let Some(wanted) = &stage.sha256 {
        ensure!(
            *wanted == sum,
            "{}: checksum {sum}, the card says `{wanted}`; export the model again or take the shipped files",
            stage.file
        );
    }
    let label = format!("{version} {sum:.8}");
    let (width_px, height_px) = (stage.width_px, stage.height_px);
    Ok(NetFile { name: format!("{name} {}", stage.file), bytes, width_px, height_px, planes, label })
}

fn classes(names: &[String]) -> anyhow::Result<Vec<ObjectClass>> {
    ensure!((1..=32).contains(&names.len()), "1 to 32 names expected, found {}", names.len());
    names.iter().map(|n| class(n)).collect()
}

fn class(name: &str) -> anyhow::Result<ObjectClass> {
    ObjectClass::ALL.into_iter().find(|c| c.name() == name).with_context(|| {
        let known: Vec<&str> = ObjectClass::ALL.iter().map(|c| c.name()).collect();
        format!("`{name}`: one of {} expected", known.join(", "))
    })
}

fn text_kind(name: &str) -> anyhow::Result<TextKind> {
    Ok(match name {
        "none" => TextKind::Nothing,
        "plate_two_line" => TextKind::Text { class: ObjectClass::Plate, two_rows: true },
        other => TextKind::Text { class: class(other)?, two_rows: false },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(card: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("models.toml"), card).unwrap();
        std::fs::write(folder.path().join("r.onnx"), b"x").unwrap();
        folder
    }
    fn refused(card: &str) -> String {
        let folder = folder(card);
        let error = Models::from_folder(folder.path(), Models::built_in().unwrap()).unwrap_err();
        format!("{error:#}")
    }

    #[test]
    fn a_card_replaces_only_the_stages_it_names() {
        let built_in = Models::built_in().unwrap();
        let card = "version = \"mine\"\nalphabet = \"01A\"\n[reader]\nfile = \"r.onnx\"\nwidth_px = 128\nheight_px = 32\nsteps = 64\n";
        let folder = folder(card);
        let mine = Models::from_folder(folder.path(), built_in.clone()).unwrap();
        assert_eq!(
            (mine.reader.net.width_px, mine.reader.steps, mine.reader.alphabet.classes()),
            (128, 64, 4)
        );
        assert_eq!(mine.detector.net.label, built_in.detector.net.label);
        assert!(mine.names().contains("reader mine"), "{}", mine.names());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let stage = "file = \"r.onnx\"\nwidth_px = 128\nheight_px = 32\n";
        for (card, words) in [
            ("version = \"1\"".to_owned(), vec!["names no stage"]),
            (format!("[reader]\n{stage}steps = 7"), vec!["[reader] steps = 7", "even"]),
            (format!("alphabet = \"AA\"\n[reader]\n{stage}"), vec!["alphabet", "`A`", "twice"]),
            (format!("[detector]\n{stage}"), vec!["[detector] stride_px is missing"]),
            (format!("[detector]\n{stage}stride_px = 24"), vec!["stride_px = 24"]),
            (
                format!("classes = [\"cat\"]\n[detector]\n{stage}stride_px = 8"),
                vec!["classes", "`cat`", "code_line"],
            ),
            (format!("[aligner]\n{stage}kinds = [\"none\", \"dog\"]"), vec!["[aligner] kinds", "`dog`"]),
            (
                "[reader]\nfile = \"../r.onnx\"\nwidth_px = 128\nheight_px = 32\n".into(),
                vec!["../r.onnx", "folder"],
            ),
            ("[reader]\nfile = \"none.onnx\"\nwidth_px = 128\nheight_px = 32\n".into(), vec!["none.onnx"]),
            ("[reader]\nfile = \"r.onnx\"\nwidth_px = 1\nheight_px = 32\n".into(), vec!["width_px = 1"]),
            (format!("[reader]\n{stage}sha256 = \"00\""), vec!["r.onnx", "checksum"]),
        ] {
            let why = refused(&card);
            assert!(words.iter().all(|w| why.contains(w)), "{card}: {why}");
        }
    }
}
