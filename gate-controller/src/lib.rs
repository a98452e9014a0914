//! varco-gate: the edge daemon of one node.
