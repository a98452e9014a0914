//! Identity, answer and weight to a verdict.
