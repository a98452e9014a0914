//! The port with its ground truth: trucks, roads, lanes, arms. Pure: no socket, file or clock lives here;
//! time comes in as seconds. It knows the site file, never the gate's rules.

pub mod arm;
pub mod bay;
pub mod ident;
pub mod lane;
pub mod ledger;
pub mod plan;
pub mod port;
pub mod roads;
pub mod truck;
