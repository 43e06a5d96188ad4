#!/usr/bin/env bash
# What strace shows of the sandbox, with real processes on loopback:
#   1. while a fleet of all six platforms is served, the edge calls connect on no socket of the internet, nor does any of its threads;
#   2. on a kernel whose Landlock has no rules for TCP (its answer to the version query is replaced by 3, Linux 6.2), `prefer` starts
#      and says what is missing, `require` does not start.
# Needs Linux, strace, bash and the binaries. BIN=FOLDER of relay-edge, relay-backend, client-sim [target/release]; DEVICES [60].
# Exit codes: 0 as it should be, 1 not, 2 something is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
BIN=$(realpath -m "${BIN:-target/release}")
DEVICES=${DEVICES:-60}

missing() { echo "sandbox.sh: $1" >&2; exit 2; }
command -v strace >/dev/null || missing "strace is not installed (Debian: apt-get install strace)"
for program in relay-edge relay-backend client-sim; do
    [ -x "$BIN/$program" ] || missing "$BIN/$program is not there; cargo build --release -p relay-edge -p relay-backend -p client-sim"
done

DIR=$(mktemp -d)
PIDS=()
clean() { for pid in "${PIDS[@]}"; do kill "$pid" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$DIR"; }
trap clean EXIT
fail() { echo "FAILED: $1"; exit 1; }
# within SECONDS COMMAND...: until it succeeds
within() { local end=$((SECONDS + $1)); shift; until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; sleep 0.2; done; }

PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null || echo $((20000 + RANDOM % 10000)))
ADMIN=$((PORT + 1 < 65536 ? PORT + 1 : PORT - 1))
"$BIN/relay-edge" init --dir "$DIR/edge" --listen "127.0.0.1:$PORT" --name localhost --name 127.0.0.1 >/dev/null
sed -i "s/^admin = .*/admin = \"127.0.0.1:$ADMIN\"/" "$DIR/edge/edge.toml"
EDGE=(--edge "127.0.0.1:$PORT" --edge-pin "$DIR/edge/edge.crt")
"$BIN/relay-backend" init --role master --name hq --dir "$DIR/hq" "${EDGE[@]}" >/dev/null
"$BIN/relay-backend" init --role storage-node --name node-a --dir "$DIR/node-a" "${EDGE[@]}" --master-cert "$DIR/hq/backend.crt" >/dev/null
sed -i 's/^# admin = .*/admin = "off"/' "$DIR/hq/backend.toml" "$DIR/node-a/backend.toml"
"$BIN/relay-edge" key add --config "$DIR/edge/edge.toml" --name hq --role master --key-file "$DIR/hq/shared.key" >/dev/null
"$BIN/relay-edge" key add --config "$DIR/edge/edge.toml" --name node-a --role storage-node --key-file "$DIR/node-a/shared.key" >/dev/null
"$BIN/relay-backend" node add --config "$DIR/hq/backend.toml" --name node-a --pin "$DIR/node-a/backend.crt" >/dev/null
"$BIN/relay-backend" secret add --config "$DIR/hq/backend.toml" --uses 1000 --expires 1h --out "$DIR/mass.secret" >/dev/null

echo "1. a fleet of $DEVICES devices through an edge under strace -f -e trace=connect"
strace -f -qq -o "$DIR/calls" -e trace=connect,accept4 "$BIN/relay-edge" run --config "$DIR/edge/edge.toml" 2>"$DIR/edge.log" &
PIDS+=($!)
for backend in hq node-a; do
    "$BIN/relay-backend" run --config "$DIR/$backend/backend.toml" 2>"$DIR/$backend.log" &
    PIDS+=($!)
done
within 60 grep -q 'storage-node.*logged in\|backend.*node-a' "$DIR/edge.log" || { cat "$DIR/edge.log"; fail "node-a never came"; }
"$BIN/client-sim" run --devices "$DEVICES" --bytes 64KiB --edge "127.0.0.1:$PORT" --pin "$DIR/edge/edge.crt" --roots "$DIR/edge/edge.crt" \
    --master-pin "$DIR/hq/backend.crt" --node node-a --mass-secret-file "$DIR/mass.secret" >"$DIR/fleet" 2>&1 || { cat "$DIR/fleet"; fail "the fleet"; }
kill "${PIDS[1]}" "${PIDS[2]}"
# strace passes no signal on: the edge itself is asked to end.
pkill -TERM -f "$BIN/relay-edge run --config $DIR/edge/edge.toml" || true
wait "${PIDS[0]}" || true
PIDS=()
ACCEPTED=$(grep -c 'accept4.*AF_INET' "$DIR/calls" || true)
ALL=$(grep -c 'connect(' "$DIR/calls" || true)
INET=$(grep -c 'connect(.*AF_INET' "$DIR/calls" || true)
echo "   the fleet passed; the edge accepted $ACCEPTED connections; it called connect $ALL times, $INET of these on a socket of the internet"
# A trace that saw nothing would prove nothing.
[ "$ACCEPTED" -ge "$DEVICES" ] || fail "the trace did not see the connections that were accepted"
[ "$INET" = 0 ] || { grep 'connect(.*AF_INET' "$DIR/calls"; fail "the edge connected"; }

echo "2. Landlock of Linux 6.2 (version 3), which has no rules for TCP"
old() { strace -f -qq -o "$DIR/old" -e trace=landlock_create_ruleset -e inject=landlock_create_ruleset:retval=3:when=3..5 "$@"; }
check() { old "$BIN/relay-edge" check --sandbox --config "$DIR/edge/edge.toml"; }
check >"$DIR/said" 2>&1 || true
if ! grep -q INJECTED "$DIR/old"; then
    echo "   this kernel has no Landlock at all: nothing to replace"
else
    grep 'MISSING tcp' "$DIR/said" || { cat "$DIR/said"; fail "prefer does not say what is missing"; }
    grep -q '^open a TCP connection (connect) *refused' "$DIR/said" || { cat "$DIR/said"; fail "seccomp does not hold by itself"; }
    sed -i 's/^sandbox = .*/sandbox = "require"/' "$DIR/edge/edge.toml"
    code=0
    old timeout 20 "$BIN/relay-edge" run --config "$DIR/edge/edge.toml" >"$DIR/said" 2>&1 || code=$?
    sed 's/^/   /' "$DIR/said"
    [ $code = 1 ] && grep -q 'sandbox = "require"' "$DIR/said" || fail "require started, or ended with $code"
fi
echo "as it should be"
