//! Reading files, and the list of everything that is wrong with them.

use crate::read::read;
use crate::{NodeConfig, Site, check};
use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The place in it: `lane[0].timers.clear_ms`, or a line.
    pub path: String,
    /// What is wrong and what to do.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.file.display(), self.path, self.text)
    }
}

/// Everything that is wrong, never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

/// A node file with the site file that it names.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The site.
    pub site: Site,
    /// The node, with `site`, `state_dir`, `points` and `models` made absolute or relative to the caller.
    pub node: NodeConfig,
    /// The node file's folder.
    pub folder: PathBuf,
}

/// Reads and checks a site file.
pub fn load_site(file: &Path) -> Result<Site, Problems> {
    let site: Site = read(file)?;
    finish(site, file, check::site)
}

/// Reads and checks a node file and its site file. Problems of both are reported together.
pub fn load_node(file: &Path) -> Result<Loaded, Problems> {
    let mut node: NodeConfig = read(file)?;
    let folder = file.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    node.site = folder.join(&node.site);
    node.state_dir = folder.join(&node.state_dir);
    for lane in &mut node.lanes {
        lane.io.points = folder.join(&lane.io.points);
    }
    if let Some(models) = node.ocr.as_mut().and_then(|o| o.models.as_mut()) {
        *models = folder.join(&*models);
    }
    let mut problems = Vec::new();
    let site = match load_site(&node.site) {
        Ok(site) => Some(site),
        Err(Problems(list)) => {
            problems.extend(list);
            None
        }
    };
    problems.extend(check::node(&node, site.as_ref(), file));
    match site {
        Some(site) if problems.is_empty() => Ok(Loaded { site, node, folder }),
        Some(_) | None => Err(Problems(problems)),
    }
}

fn finish<T>(value: T, file: &Path, check: impl Fn(&T, &Path) -> Vec<Problem>) -> Result<T, Problems> {
    let problems = check(&value, file);
    if problems.is_empty() { Ok(value) } else { Err(Problems(problems)) }
}
