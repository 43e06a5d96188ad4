//! Every rule that is marked tested, against the relay's verifier and the TLS stack of every platform; and the shape of the
//! documented ones.
