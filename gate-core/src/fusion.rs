//! Evidence of one pass to one identity.
//!
//! Every source keeps its own last statement; the statements about one slot are combined by summed
//! log-odds (as products, so that every platform computes the same bits). The outcome does not depend
//! on the order in which evidence arrives. Conflict is information and never averaged away.

mod evidence;
mod lookalike;
mod score;

pub use evidence::{Evidence, MAX_TAGS, PLAUSIBLE_KG};
pub use lookalike::look_alike;
pub use score::{Statement, combine};
