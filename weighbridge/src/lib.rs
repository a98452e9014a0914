//! Weighing indicators: telegram codecs in both directions, stable-weight detection, driver.
