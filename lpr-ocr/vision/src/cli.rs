//! The command line.

use crate::engine::Effort;
use clap::{Args, Parser, Subcommand, ValueEnum};
use gate_types::observation::ReadKind;
use std::path::PathBuf;

#[derive(Parser)]
#[command(name = "varco-ocr", version, about = "Reads plates, container codes and ADR panels")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Reads picture files: a line per reading, or with --json an object a line per file. Exit status 1
    /// when a file could not be read; the others are read all the same.
    Read(ReadArgs),
    /// Measures the readings of pictures against a table of the truth.
    Score(ScoreArgs),
    /// Watches a camera or a folder of frames: one JSON object a line for each plate, code or panel that
    /// has left the picture, its frames fused.
    Watch(WatchArgs),
    /// The worker of the gate's daemon: framed messages on stdin and stdout.
    Serve(ModelArgs),
}

/// Which models and grammars.
#[derive(Args, Clone)]
pub(crate) struct ModelArgs {
    /// A folder whose models.toml names ONNX files for the detector, the aligner, the reader or several of
    /// them; stages that it does not name stay built in (also VARCO_MODELS).
    #[arg(long, value_name = "DIR")]
    pub models: Option<PathBuf>,
    /// Countries or groups that plates are expected from, such as it,eu.
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    pub region: Vec<String>,
}

/// How much work a frame may cost.
#[derive(Args, Clone, Copy)]
pub(crate) struct EffortArgs {
    /// Most crops read on a frame; more crops settle doubtful readings.
    #[arg(long, default_value_t = Effort::CROPS, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200))]
    pub crops: u32,
    /// How often a frame without a clear reading is searched: once; again at half the size (close-ups);
    /// and again in tiles (small text on large frames).
    #[arg(long, value_enum, default_value = "tiles")]
    pub looks: Looks,
}

/// Searches of a frame without a clear reading.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Looks {
    /// One search.
    Full,
    /// A second one at half the size.
    Half,
    /// And four overlapping tiles.
    Tiles,
}

impl EffortArgs {
    /// As the engine takes it.
    pub(crate) fn effort(self) -> Effort {
        let (half, tiles) = match self.looks {
            Looks::Full => (false, false),
            Looks::Half => (true, false),
            Looks::Tiles => (true, true),
        };
        Effort { crops: self.crops, half, tiles }
    }
}

/// What to look for.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum KindArg {
    /// Licence plates.
    Plate,
    /// Container and ILU codes.
    Container,
    /// ADR panels.
    Adr,
    /// All of them.
    All,
}

/// Every kind of identifier.
pub(crate) const ALL_KINDS: [ReadKind; 3] = [ReadKind::Plate, ReadKind::Container, ReadKind::Adr];

impl KindArg {
    /// The kinds meant.
    pub(crate) fn kinds(self) -> Vec<ReadKind> {
        match self {
            Self::Plate => vec![ReadKind::Plate],
            Self::Container => vec![ReadKind::Container],
            Self::Adr => vec![ReadKind::Adr],
            Self::All => ALL_KINDS.to_vec(),
        }
    }
}

/// `read`
#[derive(Args)]
pub(crate) struct ReadArgs {
    #[command(flatten)]
    pub models: ModelArgs,
    #[command(flatten)]
    pub effort: EffortArgs,
    /// What to look for.
    #[arg(long, value_enum, default_value = "all")]
    pub kind: KindArg,
    /// One JSON object a line per file.
    #[arg(long)]
    pub json: bool,
    /// Writes the pictures with what was read into this folder.
    #[arg(long, value_name = "DIR")]
    pub draw: Option<PathBuf>,
    /// Files read at the same time; 0: one per core.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub threads: usize,
    /// JPEG, PNG, WebP or BMP files.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// `score`
#[derive(Args)]
pub(crate) struct ScoreArgs {
    #[command(flatten)]
    pub models: ModelArgs,
    #[command(flatten)]
    pub effort: EffortArgs,
    /// The truth: a table whose first line names its columns, among them file and text, if present also
    /// kind, region, layout. Pictures lie beside it. A picture with an empty text shows nothing to read.
    #[arg(long, value_name = "CSV")]
    pub truth: PathBuf,
    /// A table file,text that replaces wrong truths.
    #[arg(long, value_name = "CSV")]
    pub corrections: Option<PathBuf>,
    /// One JSON object in place of text.
    #[arg(long)]
    pub json: bool,
    /// Writes the failures as one picture.
    #[arg(long, value_name = "FILE")]
    pub sheet: Option<PathBuf>,
    /// Writes what each reading's confidence is made of, for training/fit_confidence.py.
    #[arg(long, value_name = "CSV")]
    pub features: Option<PathBuf>,
    /// Pictures read at the same time; 0: one per core.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub threads: usize,
    /// Pictures read again on one thread to take the time; 0: none.
    #[arg(long, default_value_t = 24, value_name = "N")]
    pub times: usize,
}

/// `watch`
#[derive(Args)]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    pub models: ModelArgs,
    /// What to look for.
    #[arg(long, value_enum, default_value = "all")]
    pub kind: KindArg,
    /// Most crops read on a frame.
    #[arg(long, default_value_t = Effort::CROPS, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200))]
    pub crops: u32,
    /// Saves the best frames of each object into this folder.
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
    /// An object not seen for this long has left, milliseconds.
    #[arg(long, default_value_t = 2_000, value_name = "MS")]
    pub gone_ms: u64,
    /// Time from picture to picture of a folder given by its path, milliseconds.
    #[arg(long, default_value_t = 200, value_name = "MS")]
    pub frame_ms: u64,
    /// Ends after this many frames; 0: never.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub frames: u64,
    /// mjpeg://HOST:PORT/PATH, http://..., https://..., rtsp://..., dir:///FOLDER (watched for new
    /// pictures), or the path of a folder whose pictures are read once in order.
    #[arg(value_name = "URL")]
    pub url: String,
}
