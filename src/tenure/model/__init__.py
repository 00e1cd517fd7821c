"""From a feature matrix to a calibrated, tracked bundle."""
