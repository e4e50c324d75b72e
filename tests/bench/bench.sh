#!/bin/sh
# bench.sh BUILD [OPTIONS]: what watching costs an exec, ours beside others, in one interleaved run.
# BUILD is a build folder with the tests in it; OPTIONS are exec_bench's (-r ROUNDS, -n EXECS).
# bench.sh BUILD latency [OPTIONS]: how long an alert takes, from the exec to its reader, and what
# picket uses when nothing happens; OPTIONS are latency_bench's (-s SECONDS, -r RATE, -i SECONDS).
# bench.sh BUILD match [OPTIONS]: what matching costs an event by number of rules, on the events of
# PICKET_CORPUS; OPTIONS are match_bench's (-r ROUNDS). Draws docs/matching.svg. Needs no root.
# bench.sh BUILD format [ROUNDS]: what an output's host takes to present an alert, by format, with and
# without masking, for each event of PICKET_CORPUS. Needs no root.
# bench.sh BUILD alerts [OPTIONS]: how many alerts a second are journalled and written to `json` while
# every CPU starts programs that alert, and what each costs, with and without the journal; OPTIONS are
# alerts_bench's (-s SECONDS, -t THREADS).
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
if [ "${1:-}" = alerts ]; then
    shift
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    chmod 711 "$work"
    cat >"$work/picket.yaml" <<END
rules: [$bench/alerts.yaml]
outputs: [{plugin: json, path: $work/alerts}]
journal: {path: $work/journal/alerts.db, size: 8GiB}
END
    "$build/tests/bench/alerts_bench" "$@" "$work/alerts" \
        journal="exec $build/picket run -c $work/picket.yaml 2>$work/journal.log" \
        memory="exec $build/picket run -r $bench/alerts.yaml -o json,path=$work/alerts 2>$work/memory.log"
    grep -h 'journal  \|offered' "$work"/*.log >&2
    exit
fi
if [ "${1:-}" = match ]; then
    shift
    lines=$("$build/tests/bench/match_bench" "$@" "$PICKET_CORPUS")
    echo "$lines"
    echo "$lines" | awk -f "$bench/match_curve.awk" >"$rules/../docs/matching.svg"
    exit
fi
if [ "${1:-}" = format ]; then
    shift
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    gzip -dc "$PICKET_CORPUS/benign.jsonl.gz" |
        PICKET_PLUGIN_DIR=$build/plugins "$build/picket" replay -r "$bench/format.yaml" \
            -o json,path="$work/alerts.jsonl" - 2>/dev/null
    "$build/tests/bench/format_bench" "$work/alerts.jsonl" "$@"
    exit
fi
exec "$build/tests/bench/exec_bench" "$@" \
    nothing= \
    seed="$build/tests/bench/bench_seed" \
    execsnoop=/usr/sbin/execsnoop \
    capture="$build/tests/bench/bench_sensor" \
    one-rule="$build/picket run -r $bench/latency.yaml -o json,path=/dev/null" \
    picket="$build/picket run -r $rules -o json,path=/dev/null"
