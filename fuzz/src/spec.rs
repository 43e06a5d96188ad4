//! A second validator, from the text of the formats alone: slow and obvious. Nothing of `relay-wire` may be named here.
