//! Tables of good and bad texts for the shared grammars.
