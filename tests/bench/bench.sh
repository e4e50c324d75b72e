#!/bin/sh
# bench.sh BUILD [OPTIONS]: what watching costs an exec, ours beside others, in one interleaved run.
# BUILD is a build folder with the tests in it; OPTIONS are exec_bench's (-r ROUNDS, -n EXECS).
# bench.sh BUILD latency [OPTIONS]: how long an alert takes, from the exec to its reader, and what
# picket uses when nothing happens; OPTIONS are latency_bench's (-s SECONDS, -r RATE, -i SECONDS).
# bench.sh BUILD match [OPTIONS]: what matching costs an event by number of rules, on the events of
# PICKET_CORPUS; OPTIONS are match_bench's (-r ROUNDS). Draws docs/matching.svg. Needs no root.
# Prints JSON lines. Needs root, and a machine with nothing else to do.
set -eu
build=$(cd "$1" && pwd)
bench=$(cd "$(dirname "$0")" && pwd)
rules=$(cd "$bench/../../rules" && pwd)
shift
if [ "${1:-}" = latency ]; then
    shift
    exec "$build/tests/bench/latency_bench" -i 60 "$@" \
        picket="$build/picket run -r $bench/latency.yaml -o json,path=- 2>/dev/null"
fi
if [ "${1:-}" = match ]; then
    shift
    lines=$("$build/tests/bench/match_bench" "$@" "$PICKET_CORPUS")
    echo "$lines"
    echo "$lines" | awk -f "$bench/match_curve.awk" >"$rules/../docs/matching.svg"
    exit
fi
exec "$build/tests/bench/exec_bench" "$@" \
    nothing= \
    seed="$build/tests/bench/bench_seed" \
    execsnoop=/usr/sbin/execsnoop \
    capture="$build/tests/bench/bench_sensor" \
    one-rule="$build/picket run -r $bench/latency.yaml -o json,path=/dev/null" \
    picket="$build/picket run -r $rules -o json,path=/dev/null"
