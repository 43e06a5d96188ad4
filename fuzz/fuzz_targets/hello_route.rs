//! The edge's choice by ClientHello is the one that a second reader of the same bytes makes.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(HELLO_ROUTE);
