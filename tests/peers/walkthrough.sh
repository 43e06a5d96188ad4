#!/usr/bin/env bash
# Programs that nobody here wrote, through the relay: nginx and curl, ab, rsync, PostgreSQL, iperf3, socat.
#
# Starts edge, master, storage node and `client-sim connect` on loopback in a temporary folder, then each server whose package is
# installed, and compares every byte. Ends with 1 at the first difference. docs/walkthrough.md shows what was seen.
#
#   cargo build --release && tests/peers/walkthrough.sh [PART...]     parts: web short proxy rsync postgres iperf halfclose idle
#
# BIN      the folder of the binaries            (target/release)
# PORTS    the first of 16 free ports            (18400)
# BIG_MIB  the size of the large files, in MiB   (1024)
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH=$(realpath "${BIN:-target/release}"):$PATH:/usr/sbin
ports=${PORTS:-18400} big_mib=${BIG_MIB:-1024}
parts=${*:-idle web short proxy rsync postgres iperf halfclose}
dir=$(mktemp -d) children=() postgres=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1 || true)
edge=127.0.0.1:$ports
# Each service has an even port on the server's side and the odd one behind it on the user's side.
declare -A at=([web]=2 [proxy]=4 [rsync]=6 [postgres]=8 [iperf]=10 [hash]=12)

server() { echo $((ports + at[$1])); }
local_port() { echo $((ports + at[$1] + 1)); }
say() { printf '\n== %s\n' "$*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
missing() { command -v "$1" >/dev/null && return 1; echo "skipped: $1 is not installed"; }
as_user() { if [ "$(id -u)" = 0 ]; then su postgres -s /bin/bash -c "cd $dir/pg && $1"; else bash -c "$1"; fi; }
start() { local log=$dir/$1.log; shift; "$@" >"$log" 2>&1 & children+=($!); }
now() { date +%s%N; }
passed() { echo $((($(now) - $1) / 1000000)); }
# Asks again and again, for at most 30 seconds, until a command succeeds.
until_ok() { local i; for i in $(seq 150); do "$@" >/dev/null 2>&1 && return; sleep 0.2; done; fail "not within 30 s: $*"; }

finish() {
    local code=$?
    [ -d "$dir/pg/data" ] && as_user "$postgres/pg_ctl -D $dir/pg/data -m immediate stop" >/dev/null 2>&1 || true
    [ "$code" = 0 ] || tail -n 5 "$dir"/*.log || true
    kill "${children[@]}" 2>/dev/null || true
    wait
    rm -rf "$dir"
}
trap finish EXIT
chmod 711 "$dir"

relay() {
    relay-edge init --dir "$dir/edge" --listen "$edge" >/dev/null
    relay-backend init --role master --name hq --dir "$dir/hq" --edge "$edge" --edge-pin "$dir/edge/edge.crt" >/dev/null
    local services=() name
    for name in "${!at[@]}"; do services+=(--service "$name=tcp://127.0.0.1:$(server "$name")"); done
    relay-backend init --role storage-node --name node-a --dir "$dir/node-a" --edge "$edge" --edge-pin "$dir/edge/edge.crt" \
        --master-cert "$dir/hq/backend.crt" "${services[@]}" >/dev/null
    sed -i "s|^proxy = .*|proxy = { target = \"tcp://127.0.0.1:$(server proxy)\", proxy_protocol = true }|" "$dir/node-a/backend.toml"
    sed -i 's/^#* *admin = .*/admin = "off"/' "$dir"/*/{edge,backend}.toml 2>/dev/null || true
    relay-edge key add --config "$dir/edge/edge.toml" --name hq --role master --key-file "$dir/hq/shared.key" >/dev/null
    relay-edge key add --config "$dir/edge/edge.toml" --name node-a --role storage-node --key-file "$dir/node-a/shared.key" >/dev/null
    relay-backend node add --config "$dir/hq/backend.toml" --name node-a --pin "$dir/node-a/backend.crt" >/dev/null
    relay-backend secret add --config "$dir/hq/backend.toml" --uses 1 --expires 1h --out "$dir/mass.secret" >/dev/null
    start edge relay-edge run --config "$dir/edge/edge.toml"
    start hq relay-backend run --config "$dir/hq/backend.toml"
    start node-a relay-backend run --config "$dir/node-a/backend.toml"
    local forwards=()
    for name in "${!at[@]}"; do forwards+=(--forward "127.0.0.1:$(local_port "$name")=$name"); done
    start connect client-sim connect --state "$dir/state" --edge "$edge" --pin "$dir/edge/edge.crt" --roots "$dir/edge/edge.crt" \
        --master-pin "$dir/hq/backend.crt" --mass-secret-file "$dir/mass.secret" --user ana@example.com --node node-a "${forwards[@]}"
    until_ok grep -q "listening on" "$dir/connect.log"
}

nginx_up() {
    [ -d "$dir/www" ] && return
    mkdir -p "$dir/www" "$dir/nginx"
    local i
    for i in $(seq 0 99); do head -c $((i * i * i * 4 + i % 3)) /dev/urandom >"$dir/www/$i"; done
    head -c "${big_mib}M" /dev/urandom >"$dir/www/big"
    cat >"$dir/nginx.conf" <<END
error_log $dir/nginx/error.log; pid $dir/nginx/pid; daemon off; worker_processes 2;
events { worker_connections 4096; }
http {
    access_log off; sendfile on; keepalive_requests 100000;
    client_body_temp_path $dir/nginx/1; proxy_temp_path $dir/nginx/2; fastcgi_temp_path $dir/nginx/3;
    uwsgi_temp_path $dir/nginx/4; scgi_temp_path $dir/nginx/5;
    server { listen 127.0.0.1:$(server web) backlog=4096; root $dir/www; }
    server { listen 127.0.0.1:$(server proxy) proxy_protocol; location / { return 200 "\$proxy_protocol_addr\n"; } }
}
END
    [ "$(id -u)" = 0 ] && sed -i '1i user root;' "$dir/nginx.conf"
    start nginx nginx -c "$dir/nginx.conf"
    until_ok curl -sf "http://127.0.0.1:$(server web)/1"
}

web() {
    say "nginx, curl: 100 files from 0 bytes to 4 MB, one of $big_mib MiB"
    missing nginx || missing curl && return
    nginx_up
    local url=http://127.0.0.1:$(local_port web) how connections
    for how in "one connection" "16 at a time"; do
        rm -rf "$dir/got" && mkdir "$dir/got"
        local options=(); [ "$how" = "one connection" ] || options=(--parallel --parallel-immediate --parallel-max 16)
        connections=$(curl -sf "${options[@]}" -w '%{num_connects}\n' "$url/[0-99]" -o "$dir/got/#1" 2>/dev/null | awk '{ n += $1 } END { print n }')
        (cd "$dir/www" && sha256sum [0-9]*) | (cd "$dir/got" && sha256sum --check --quiet) || fail "files differ"
        echo "$how: 100 files alike by SHA-256, $connections connection(s)"
    done
    local from
    for from in "http://127.0.0.1:$(server web)" "$url"; do
        curl -sf -w "$from/big: %{time_total} s, %{speed_download} bytes/s\n" "$from/big" -o "$dir/got/big"
        cmp "$dir/www/big" "$dir/got/big" || fail "the large file differs"
    done
    rm -rf "$dir/got"
}

short() {
    say "ab: 2,000 connections, one request each, 20 at a time"
    missing nginx || missing ab && return
    nginx_up
    ab -q -n 2000 -c 20 "http://127.0.0.1:$(local_port web)/10" >"$dir/ab.txt"
    grep -E '^(Complete|Failed) requests|^Requests per second|^  (50|99|100)%' "$dir/ab.txt"
    grep -qE '^Complete requests: +2000' "$dir/ab.txt" && grep -qE '^Failed requests: +0' "$dir/ab.txt" || fail "ab"
}

proxy() {
    say "PROXY protocol: nginx sees the device's address"
    missing nginx || missing curl && return
    nginx_up
    local seen; seen=$(curl -sf "http://127.0.0.1:$(local_port proxy)/")
    echo "proxy_protocol_addr: $seen"
    [ "$seen" = 127.0.0.1 ] || fail "PROXY protocol"
}

rsync_() {
    say "rsync daemon: a tree pushed and pulled; a push of $big_mib MiB cut off and resumed"
    missing rsync && return
    mkdir -p "$dir/module" "$dir/tree"
    printf 'use chroot = no\n[m]\npath = %s\nread only = no\n%s' "$dir/module" "$([ "$(id -u)" = 0 ] && printf 'uid = root\ngid = root\n')" >"$dir/rsyncd.conf"
    start rsyncd rsync --daemon --no-detach --address 127.0.0.1 --port "$(server rsync)" --config "$dir/rsyncd.conf"
    local i url=rsync://127.0.0.1:$(local_port rsync)/m
    for i in $(seq 300); do mkdir -p "$dir/tree/$((i % 17))" && head -c $((i * 997)) /dev/urandom >"$dir/tree/$((i % 17))/$i"; done
    until_ok rsync "$url/"
    rsync -a "$dir/tree/" "$url/tree/" && rsync -a "$url/tree/" "$dir/back/"
    diff -r "$dir/tree" "$dir/back" || fail "the tree differs"
    echo "300 files there and back, alike"
    head -c "${big_mib}M" /dev/urandom >"$dir/large"
    rsync --partial --bwlimit="$((big_mib / 5 + 1))m" "$dir/large" "$url/large" >/dev/null 2>&1 & local pusher=$!
    sleep 2; kill -9 $pusher; wait $pusher 2>/dev/null || true
    # The daemon keeps what it has got once it has seen that the pusher is gone.
    until_ok test -f "$dir/module/large"
    echo "cut off at $(($(stat -c %s "$dir/module/large") >> 20)) MiB"
    rsync --partial --append-verify --stats "$dir/large" "$url/large" | grep -E '^Literal data|bytes/sec'
    cmp "$dir/large" "$dir/module/large" || fail "the resumed file differs"
    echo "resumed, alike"
    rm -rf "$dir/module" "$dir/large" "$dir/tree" "$dir/back"
}

postgres_() {
    say "PostgreSQL: pgbench, COPY both ways, a client killed"
    [ -n "$postgres" ] || { echo "skipped: PostgreSQL is not installed"; return; }
    mkdir -p "$dir/pg"; [ "$(id -u)" = 0 ] && chown postgres "$dir/pg"
    as_user "$postgres/initdb -D $dir/pg/data -A trust -U bench" >"$dir/initdb.log"
    as_user "$postgres/pg_ctl -w -D $dir/pg/data -l $dir/pg/log -o '-p $(server postgres) -h 127.0.0.1 -k $dir/pg -c fsync=off' start" >/dev/null
    export PGHOST=127.0.0.1 PGUSER=bench PGDATABASE=postgres
    local direct through psql=$postgres/psql; direct=$(server postgres); through=$(local_port postgres)
    "$postgres/pgbench" -q -i -s 5 -p "$through" 2>/dev/null
    local port
    for port in "$direct" "$through"; do
        "$postgres/pgbench" -n -c 8 -j 2 -T 10 -p "$port" >"$dir/pgbench.txt" 2>&1 || fail "pgbench: $(cat "$dir/pgbench.txt")"
        echo "port $port: $(grep -E '^(number of transactions actually|number of failed|latency average|tps)' "$dir/pgbench.txt" | paste -sd' ')"
    done
    "$psql" -qp "$direct" -c "create table big as select i, md5(i::text) || md5((i+1)::text) as t from generate_series(1, 1500000) i" -c "create table copy (like big)"
    local since; since=$(now)
    "$psql" -qp "$through" -c "copy big to stdout" >"$dir/copy.txt"
    echo "COPY of $(($(stat -c %s "$dir/copy.txt") >> 20)) MiB out: $(passed "$since") ms"; since=$(now)
    "$psql" -qp "$through" -c "copy copy from stdin" <"$dir/copy.txt"
    echo "the same in: $(passed "$since") ms"
    local lines; lines=$("$psql" -Atp "$direct" -c "select count(*) from ((table big except table copy) union all (table copy except table big)) d")
    [ "$lines" = 0 ] || fail "$lines rows differ"
    echo "the tables are alike"
    "$psql" -qp "$through" -c "/* killed */ copy (select generate_series(1, 1000000000), repeat('x', 1000)) to stdout" >"$dir/killed.txt" & local client=$!
    until_ok test -s "$dir/killed.txt"
    kill -9 $client; wait $client 2>/dev/null || true; since=$(now)
    rm "$dir/killed.txt"
    gone() { [ 0 = "$("$psql" -Atp "$direct" -c "select count(*) from pg_stat_activity where query like '/* killed%'")" ]; }
    until_ok gone
    echo "client killed in a COPY: its server process was gone after $(passed "$since") ms"
    rm "$dir/copy.txt"
}

iperf() {
    say "iperf3: both directions, 1 and 8 streams, 5 s each; first without the relay"
    missing iperf3 && return
    start iperf iperf3 -s -B 127.0.0.1 -p "$(server iperf)"
    local port options
    for port in "$(server iperf)" "$(local_port iperf)"; do
        for options in "-P 1" "-P 1 -R" "-P 8" "-P 8 -R"; do
            until_ok iperf3 -c 127.0.0.1 -p "$port" -n 1
            # shellcheck disable=SC2086
            iperf3 -c 127.0.0.1 -p "$port" -t 5 -f g $options >"$dir/iperf.txt" || fail "iperf3 $options: $(cat "$dir/iperf.txt")"
            echo "port $port, $options: $(grep receiver "$dir/iperf.txt" | tail -1 | grep -oE '[0-9.]+ Gbits/sec')"
        done
    done
}

hash_up() {
    [ -f "$dir/hash.log" ] && return
    start hash socat "TCP-LISTEN:$(server hash),bind=127.0.0.1,fork,reuseaddr,backlog=128" "SYSTEM:sha256sum"
    until_ok socat -u OPEN:/dev/null "TCP:127.0.0.1:$(server hash)"
}

halfclose() {
    say "socat: half-close: the server answers only after it has seen the end of what was sent"
    missing socat && return
    hash_up
    local i want got
    head -c 20M /dev/urandom >"$dir/half"
    want=$(sha256sum <"$dir/half")
    for i in 1 2 3; do
        got=$(socat -t 30 - "TCP:127.0.0.1:$(local_port hash)" <"$dir/half")
        [ "$got" = "$want" ] || fail "half-close: $got instead of $want"
    done
    echo "20 MiB, end, then the answer: right 3 times"
}

idle() {
    say "socat: a connection that says nothing for 60 s (ends at the end)"
    missing socat && return
    hash_up
    (printf a; sleep 60; printf b) | socat -t 30 - "TCP:127.0.0.1:$(local_port hash)" >"$dir/idle.txt" 2>&1 & idle=$!
}

idle_end() {
    [ -n "${idle:-}" ] || return 0
    wait "$idle" || fail "the idle connection broke: $(cat "$dir/idle.txt")"
    [ "$(cat "$dir/idle.txt")" = "$(printf ab | sha256sum)" ] || fail "the idle connection gave $(cat "$dir/idle.txt")"
    say "the idle connection of 60 s: still whole"
}

relay
for part in $parts; do
    case $part in
        web | short | proxy | iperf | halfclose | idle) "$part" ;;
        rsync | postgres) "${part}_" ;;
        *) fail "no such part: $part" ;;
    esac
done
idle_end
say "log lines: $(cd "$dir" && wc -l edge.log hq.log node-a.log connect.log | head -4 | awk '{printf "%s %s  ", $2, $1}')"
for log in edge hq node-a connect; do grep -E ' (WARN|ERROR) ' "$dir/$log.log" | grep -v 'Connection refused' | tail -3 || true; done
say "all alike ($SECONDS s)"
