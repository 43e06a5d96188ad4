#!/bin/bash -eu
# Builds every target of fuzz/targets.toml into $OUT, in the form that OSS-Fuzz and ClusterFuzzLite take:
#
#   TARGET                   the binary
#   TARGET_seed_corpus.zip   what it begins with, as `fuzz-campaign seeds` writes it
#   TARGET.dict              its dictionary, where it has one
#   TARGET.options           max_len and dictionary, from the list
#
# Their builder image sets what is read here: OUT and WORK (folders), SANITIZER (address or coverage), and for cargo and the C
# compiler RUSTFLAGS, CFLAGS, CC and so on. Outside of it, SANITIZER=none builds with stable Rust.
cd "$(dirname "$0")/.."

: "${OUT:?the folder for the results}" "${WORK:?a folder for what is made on the way}"
SANITIZER=${SANITIZER:-address}
host=$(rustc -vV | sed -n 's/^host: //p')

# Not in the tree, and one for the image's own wrapper of cargo too.
export CARGO_TARGET_DIR=$WORK/target
# Link-time optimisation takes a minute for each of the binaries and gives no more executions.
export CARGO_PROFILE_RELEASE_LTO=off

sanitizer=$SANITIZER
# For coverage the wrapper sets its own flags.
if [ "$sanitizer" = coverage ]; then sanitizer=none; fi
cargo fuzz build --fuzz-dir fuzz --sanitizer "$sanitizer" --target "$host"

# What writes seeds is no target: built without the sanitizer and without instrumentation.
env -u RUSTFLAGS -u CFLAGS -u CXXFLAGS CARGO_TARGET_DIR="$WORK/tools" \
    cargo run --quiet --locked -p tools --bin fuzz-campaign -- seeds --out "$WORK/seeds"

# NAME MAX_LEN DICTIONARY, "-" for none.
targets() {
    awk -F ' = ' '
        function row() { if (name != "") print name, len, dict }
        $1 == "[[target]]" { row(); name = ""; dict = "-" }
        { gsub(/"/, "", $2) }
        $1 == "name" { name = $2 }
        $1 == "max_len" { len = $2 }
        $1 == "dictionary" { dict = $2 }
        END { row() }
    ' fuzz/targets.toml
}

targets | while read -r name max_len dictionary; do
    cp "$CARGO_TARGET_DIR/$host/release/$name" "$OUT/"
    rm -f "$OUT/${name}_seed_corpus.zip"
    zip -q -r -j "$OUT/${name}_seed_corpus.zip" "$WORK/seeds/$name"
    {
        echo "[libfuzzer]"
        echo "max_len = $max_len"
        if [ "$dictionary" != - ]; then
            cp "fuzz/dictionaries/$dictionary.dict" "$OUT/$name.dict"
            echo "dict = $name.dict"
        fi
    } > "$OUT/$name.options"
done
