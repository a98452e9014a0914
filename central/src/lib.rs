//! varco-central: IOT_IDs, missions, releases, mission-path verification, alarms.
