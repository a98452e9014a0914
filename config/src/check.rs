//! What a site or node file must fulfil beyond its types. Each check adds to one list; none stops it.

use crate::{NodeConfig, Problem, Site};
use std::path::Path;

pub(crate) fn site(_site: &Site, _file: &Path) -> Vec<Problem> {
    Vec::new()
}

pub(crate) fn node(_node: &NodeConfig, _site: Option<&Site>, _file: &Path) -> Vec<Problem> {
    Vec::new()
}
