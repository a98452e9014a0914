//! Whole-system tests over the built binaries.
