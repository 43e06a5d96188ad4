#!/bin/sh
# For RUSTC_WRAPPER: gives coverage counters to the code under test alone.
#
# cargo-fuzz instruments every crate. The second validator, the mutators and the crates they use are several times as much code as what is
# tested; their counters take most of the time of an execution, and inputs that only they find new crowd the corpus.
rustc=$1
shift
name=
previous=
for argument in "$@"; do
    [ "$previous" = --crate-name ] && name=$argument
    previous=$argument
done
case $name in
# Also what reads certificates and configurations for us.
relay_* | webpki | x509_parser | der_parser | asn1_rs | toml | toml_parser) exec "$rustc" "$@" ;;
esac
for argument in "$@"; do
    shift
    case $argument in
    -Cpasses=sancov-module | -Cllvm-args=-sanitizer-coverage-*) ;;
    *) set -- "$@" "$argument" ;;
    esac
done
exec "$rustc" "$@"
