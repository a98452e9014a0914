//! Embeds the nets of `../models`: every `*.onnx` file there, by name.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../models");
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut names: Vec<String> = std::fs::read_dir(&folder)?
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|n| n.ends_with(".onnx"))
        .collect();
    names.sort();
    let mut text = String::from("&[\n");
    for name in names {
        let path = folder.join(&name);
        println!("cargo:rerun-if-changed={}", path.display());
        text += &format!("    ({name:?}, include_bytes!({:?})),\n", path.display().to_string());
    }
    text += "]\n";
    std::fs::write(Path::new(&std::env::var("OUT_DIR").unwrap_or_default()).join("nets.rs"), text)
}
