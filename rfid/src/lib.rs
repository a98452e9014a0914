//! UHF readers: LLRP codec in both directions, tag decoding, driver.
