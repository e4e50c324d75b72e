#!/bin/sh
# bench.sh BUILD [OPTIONS]: what watching costs an exec, ours beside others, in one interleaved run.
# BUILD is a build folder with the tests in it; OPTIONS are exec_bench's (-r ROUNDS, -n EXECS).
# bench.sh BUILD latency [OPTIONS]: how long an alert takes, from the exec to its reader, and what
# picket uses when nothing happens; OPTIONS are latency_bench's (-s SECONDS, -r RATE, -i SECONDS).
# bench.sh BUILD hostile [OPTIONS]: the same for an output alone, and beside four that block for ever,
# crash at each tenth alert, eat memory and write to every descriptor; journalled, 100 alerts a second.
# bench.sh BUILD webhook [OPTIONS]: the same until an HTTP server has the alert; journalled, 100 a second.
# bench.sh BUILD match [OPTIONS]: what matching costs an event by number of rules, on the events of
# PICKET_CORPUS; OPTIONS are match_bench's (-r ROUNDS). Draws docs/matching.svg. Needs no root.
# bench.sh BUILD format [ROUNDS]: what an output's host takes to present an alert, by format, with and
# without masking, for each event of PICKET_CORPUS. Needs no root.
# bench.sh BUILD alerts [OPTIONS]: how many alerts a second are journalled and written to `json` while
# every CPU starts programs that alert, and what each costs, with and without the journal, and to a stream
# of `nats` in a file; OPTIONS are alerts_bench's (-s SECONDS, -t THREADS).
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
# Starts a nats-server with a stream; its two ports into $client and $monitor.
start_nats() {
    nats-server -js -sd "$work/nats" -a 127.0.0.1 -p -1 -m -1 --ports_file_dir "$work" \
        -l "$work/nats.log" &
    server=$!
    until [ -s "$work/nats-server_$server.ports" ]; do sleep 0.1; done
    client=$(grep -o 'nats://[^"]*' "$work/nats-server_$server.ports" | head -n 1)
    monitor=$(grep -o 'http://[^"]*' "$work/nats-server_$server.ports" | head -n 1)
}
# In the folder $work, which goes with us: a configuration NAME.yaml with these outputs.
configure() {
    cat >"$work/$1.yaml" <<END
rules: [$bench/latency.yaml]
outputs: [$2]
journal: {path: $work/$1.db/alerts.db}
END
}
if [ "${1:-}" = hostile ]; then
    shift
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    chmod 711 "$work"
    worst="plugin: $build/tests/fault/hostile.so, mode"
    configure alone '{plugin: json, path: "-"}'
    configure hostile "{plugin: json, path: '-'}, {name: blocks, $worst: sleep},
        {name: crashes, $worst: abort_tenth}, {name: eats, $worst: hoard},
        {name: writes, $worst: descriptors}"
    "$build/tests/bench/latency_bench" -r 100 -s 20 -n 5 "$@" \
        alone="$build/picket run -c $work/alone.yaml 2>$work/alone.log" \
        hostile="$build/picket run -c $work/hostile.yaml 2>$work/hostile.log" >"$work/lines"
    cat "$work/lines"
    awk -f "$bench/latency_medians.awk" "$work/lines"
    grep -h ' offered ' "$work/hostile.log" >&2
    exit
fi
if [ "${1:-}" = webhook ]; then
    shift
    work=$(mktemp -d)
    sink=
    trap '[ -z "$sink" ] || kill "$sink"; rm -rf "$work"' EXIT
    chmod 711 "$work"
    mkfifo "$work/bodies"
    "$build/tests/bench/http_sink" "$work/port" >"$work/bodies" &
    sink=$!
    exec 3<"$work/bodies" # it waits for a reader, and is to have one between the rounds
    until [ -s "$work/port" ]; do sleep 0.1; done
    configure webhook "{plugin: webhook, url: 'http://127.0.0.1:$(cat "$work/port")/'}"
    "$build/tests/bench/latency_bench" -r 100 -s 20 -n 3 -a "$work/bodies" "$@" \
        webhook="$build/picket run -c $work/webhook.yaml 2>$work/log" >"$work/lines"
    cat "$work/lines"
    awk -f "$bench/latency_medians.awk" "$work/lines"
    grep -h ' offered ' "$work/log" >&2
    exit
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
    start_nats
    trap 'kill "$server"; rm -rf "$work"' EXIT
    cat >"$work/nats.yaml" <<END
rules: [$bench/alerts.yaml]
outputs: [{plugin: nats, servers: ["$client"], stream: ALERTS, create: true}]
journal: {path: $work/journal-nats/alerts.db, size: 8GiB}
END
    "$build/tests/bench/alerts_bench" "$@" "$work/alerts" \
        nats="exec $bench/nats_watcher.sh $work/alerts ${monitor##*:} $build/picket run -c $work/nats.yaml \
              2>$work/nats-run.log" | sed 's/"bytes_per_alert":1,//'
    grep -h 'journal  \|offered\|stream has' "$work"/*.log >&2
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
