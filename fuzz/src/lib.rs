//! Fuzz targets and their oracles.
