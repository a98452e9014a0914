//! Barriers, lights, loops and signs by remote I/O: point maps, driver, watchdog, read-back.
