//! A relay of three processes, as an operator starts it.
