#!/usr/bin/env bash
# Who fails which trial of rogue-edge: curl, openssl s_client, gnutls-cli, Python's ssl and the simulator's device, as one table.
#
#   cargo build -p tools --bin rogue-edge -p client-sim --bin client-sim && tests/peers/rogue-edge.sh [--write|--check] [CLIENT...]
#
# Without an option it prints the table. --write puts it into docs/rogue-edge.md; --check compares it with what is there, and fails
# at a difference if the programs' versions are the same, at a device that is wrong, and at a client that rogue-edge should have
# caught and did not. A client whose program is not installed is left out, and named.
#
# BIN      the folder of the binaries     (target/debug)
# PYTHON   Python 3 with its ssl module   (python3)
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=$(realpath "${BIN:-target/debug}") python=${PYTHON:-python3} page=docs/rogue-edge.md
mode=print
case ${1:-} in --write | --check) mode=${1#--}; shift ;; esac
[ $mode = print ] || [ $# = 0 ] || { echo "--$mode is about the whole table: give no CLIENT" >&2; exit 2; }
clients=${*:-device-spki device-leaf curl curl-insecure openssl openssl-verify gnutls python}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
for program in rogue-edge client-sim; do
    [ -x "$bin/$program" ] || fail "there is no $bin/$program; build it first, as the head of this script says"
done

# The label, then the options of serve, then the command.
try() {
    local client=$1 label=$2; shift 2
    local code=0
    "$bin/rogue-edge" serve --timeout 15s --label "$label" --report "$dir/$client.json" "$@" >"$dir/$client.txt" 2>"$dir/$client.err" || code=$?
    # 0 right everywhere, 1 wrong somewhere: both are results.
    [ $code -le 1 ] || { cat "$dir/$client.txt" "$dir/$client.err" >&2; fail "$client: rogue-edge ended with $code"; }
    tail -n 1 "$dir/$client.txt" >&2
    [ "${client#device}" = "$client" ] || [ $code = 0 ] || { cat "$dir/$client.txt" >&2; fail "$client is wrong"; }
    reports+=("$dir/$client.json")
}

device() {
    try "$1" "$2" -- "$bin/client-sim" request send --edge '{address}' --server-name '{name}' --pin "$3" --roots '{roots}' --platform linux --op ping
}

one() {
    case $1 in
        device-spki) device "$1" "device, SPKI pin" '{pin-spki}' ;;
        device-leaf) device "$1" "device, leaf pin" '{pin-leaf}' ;;
        curl) try "$1" 'curl `--pinnedpubkey`' -- \
            curl -sS --max-time 10 --cacert '{roots}' --pinnedpubkey '{pin-curl}' 'https://{name}:{port}/' ;;
        curl-insecure) try "$1" 'curl `-k --pinnedpubkey`' --client-chain ignored -- \
            curl -sS -k --max-time 10 --pinnedpubkey '{pin-curl}' 'https://{name}:{port}/' ;;
        openssl) try "$1" 'openssl `s_client`' -- \
            sh -c 'printf "GET / HTTP/1.0\r\n\r\n" | openssl s_client -quiet -connect {address} -servername {name} -CAfile {roots}' ;;
        openssl-verify) try "$1" 'openssl `s_client -verify_return_error`' -- \
            sh -c 'printf "GET / HTTP/1.0\r\n\r\n" | openssl s_client -quiet -connect {address} -servername {name} -CAfile {roots} -verify_return_error' ;;
        # It trusts what it sees first: the control, which always comes first.
        gnutls) try "$1" 'gnutls-cli `--strict-tofu`' --client-pins spki -- sh -c '
            export HOME={dir}
            [ {trial} != control ] || echo y | gnutls-cli --tofu --x509cafile {roots} -p {port} {name} >/dev/null 2>&1
            printf "GET / HTTP/1.0\r\n\r\n" | gnutls-cli --strict-tofu --x509cafile {roots} -p {port} {name}' ;;
        python) try "$1" 'Python `ssl`' -- "$python" tests/peers/tls_client.py '{host}' '{port}' '{name}' '{roots}' ;;
        *) fail "no such client: $1" ;;
    esac
}

program() {
    case $1 in
        curl*) echo curl ;; openssl*) echo openssl ;; gnutls) echo gnutls-cli ;; python) echo "$python" ;; *) echo "$bin/client-sim" ;;
    esac
}

versions() {
    echo "$(openssl version 2>/dev/null | cut -d' ' -f1,2), $(curl --version 2>/dev/null | head -1 | cut -d' ' -f1,2) with" \
        "$(curl --version 2>/dev/null | grep -oE 'OpenSSL/[0-9.]+|GnuTLS/[0-9.]+' | head -1)," \
        "$(gnutls-cli --version 2>/dev/null | head -1)," \
        "$("$python" -c 'import ssl, sys; print("Python", sys.version.split()[0], "with", ssl.OPENSSL_VERSION.rsplit(" ", 3)[0])' 2>/dev/null)"
}

reports=()
for client in $clients; do
    if command -v "$(program "$client")" >/dev/null; then one "$client"; else echo "skipped: $(program "$client") is not installed" >&2; fi
done
{ versions; echo; "$bin/rogue-edge" table "${reports[@]}"; } >"$dir/table.md"

# That rogue-edge catches anybody at all.
if [ -f "$dir/openssl.json" ]; then
    "$python" - "$dir/openssl.json" <<'END' || fail "openssl s_client without -verify_return_error was not caught"
import json, sys
trials = {t["name"]: t for t in json.load(open(sys.argv[1]))["trials"]}
assert all(trials[n]["verdict"] == "wrong" for n in ("self-signed", "expired", "unknown-root"))
assert trials["self-signed"]["leaked_bytes"] == 18
END
fi

kept() { sed -n '/<!-- table -->/,/<!-- \/table -->/p' "$page" | sed '1d;$d'; }
case $mode in
    print) cat "$dir/table.md" ;;
    write)
        "$python" - "$page" "$dir/table.md" <<'END'
import sys
page, table = open(sys.argv[1]).read(), open(sys.argv[2]).read()
before, rest = page.split("<!-- table -->\n")
open(sys.argv[1], "w").write(before + "<!-- table -->\n" + table + "<!-- /table -->" + rest.split("<!-- /table -->")[1])
END
        ;;
    check)
        if kept | cmp -s - "$dir/table.md"; then
            echo "as in $page"
        elif [ "$(kept | head -1)" = "$(head -1 "$dir/table.md")" ]; then
            diff <(kept) "$dir/table.md" || true
            fail "the table in $page is another one; look into it, then $0 --write"
        else
            echo "these are other versions than in $page:"
            diff <(kept) "$dir/table.md" || true
        fi
        ;;
esac
