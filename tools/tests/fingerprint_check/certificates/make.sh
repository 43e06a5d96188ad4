#!/usr/bin/env bash
# Makes the certificates that the snapshots of `fingerprint-check` speak of: fixed, so that its output is. Run once, with
# OpenSSL 3; running it again changes every key and so every snapshot (UPDATE_SNAPSHOTS=1 writes them anew).
# With arguments it makes those of these names only; `chain` goes with `root` and `intermediate`.
# All are for localhost and 127.0.0.1, from 2026-01-01 to 2028-01-01, where their name does not say otherwise. The keys are
# known to everybody and protect nothing.
set -euo pipefail
wanted=" $* "
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/ca.cnf" <<CNF
[ca]
default_ca = any
[any]
database = $work/index.txt
new_certs_dir = $work
rand_serial = yes
unique_subject = no
policy = policy

[policy]
commonName = supplied

CNF
touch "$work/index.txt"

# NAME KEY DIGEST START END EXTENSIONS [ISSUER]; KEY as `openssl genpkey` takes it.
certificate() {
    local name=$1 key=$2 digest=$3 start=$4 end=$5 extensions=$6 issuer=${7:-}
    if [ "$wanted" != "  " ] && [[ $wanted != *" $name "* ]]; then return; fi
    # shellcheck disable=SC2086 # the options of a key are several words
    openssl genpkey $key -out "$name.key" 2>/dev/null
    openssl req -new -key "$name.key" -subj "/CN=$name" -out "$work/$name.csr" 2>/dev/null
    printf '%b' "$extensions" >"$work/$name.ext"
    # Without extensions the certificate is of version 1.
    local extended=()
    if [ -n "$extensions" ]; then extended=(-extfile "$work/$name.ext"); fi
    local signer=(-selfsign -keyfile "$name.key")
    if [ -n "$issuer" ]; then signer=(-cert "$issuer.pem" -keyfile "$issuer.key"); fi
    openssl ca -batch -notext -config "$work/ca.cnf" -md "$digest" -in "$work/$name.csr" -out "$name.pem" \
        -startdate "$start" -enddate "$end" "${extended[@]}" "${signer[@]}" 2>/dev/null
}

p256="-algorithm EC -pkeyopt ec_paramgen_curve:P-256"
from=20260101000000Z
to=20280101000000Z
names="subjectAltName=DNS:localhost,IP:127.0.0.1\n"
server="basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n$names"
authority="basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n"

certificate ca-true "$p256" sha256 $from $to "basicConstraints=critical,CA:TRUE\n$names"
certificate ca-false "$p256" sha256 $from $to "$server"
certificate expired "$p256" sha256 20250101000000Z 20260301000000Z "$server"
certificate rsa-2048 "-algorithm RSA -pkeyopt rsa_keygen_bits:2048" sha256 $from $to "$server"
certificate rsa-1024 "-algorithm RSA -pkeyopt rsa_keygen_bits:1024" sha256 $from $to "$server"
certificate sha1 "$p256" sha1 $from $to "$server"
certificate wrong-name "$p256" sha256 $from $to \
    "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=DNS:other.example.org\n"
certificate ed25519 "-algorithm ED25519" default $from $to "$server"
certificate p-384 "-algorithm EC -pkeyopt ec_paramgen_curve:P-384" sha384 $from $to "$server"
certificate v1 "$p256" sha256 $from $to ""

certificate root "$p256" sha256 $from $to "$authority"
certificate intermediate "$p256" sha256 $from $to "$authority" root
certificate chain "$p256" sha256 $from $to "$server" intermediate
if [ -e intermediate.key ]; then cat intermediate.pem >>chain.pem; fi
rm -f root.key intermediate.key
chmod 644 ./*.key
