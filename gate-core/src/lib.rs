//! The decision: fusion, lane automaton, interlock, policy, mission progress (sans-io).
