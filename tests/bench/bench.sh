#!/bin/sh
# bench.sh BUILD [OPTIONS]: what watching costs an exec, ours beside others, in one interleaved run.
# BUILD is a build folder with the tests in it; OPTIONS are exec_bench's (-r ROUNDS, -n EXECS).
# Prints JSON lines. Needs root, and a machine with nothing else to do.
set -eu
build=$(cd "$1" && pwd)
rules=$(cd "$(dirname "$0")/../../rules" && pwd)
shift
exec "$build/tests/bench/exec_bench" "$@" \
    nothing= \
    seed="$build/tests/bench/bench_seed" \
    execsnoop=/usr/sbin/execsnoop \
    capture="$build/tests/bench/bench_sensor" \
    picket="$build/picket run -r $rules -o json,path=/dev/null"
