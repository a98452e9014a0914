//! Evidence of one pass to one identity.
