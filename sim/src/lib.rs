//! varco-sim: a port with ground truth whose devices speak the real wires.
