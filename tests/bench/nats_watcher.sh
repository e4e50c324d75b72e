#!/bin/sh
# nats_watcher.sh FILE PORT COMMAND...: a watcher for alerts_bench whose alerts go to a stream of the
# nats-server that is monitored at PORT: FILE gets a line when it has one, and in the end a line for each
# other that the stream has.
set -eu
file=$1
port=$2
shift 2

messages() {
    python3 -c 'import json, sys, urllib.request
print(json.load(urllib.request.urlopen(sys.argv[1]))["messages"])' "http://127.0.0.1:$port/jsz"
}

"$@" &
pid=$!
trap 'kill "$pid"' TERM
while [ "$(messages)" = 0 ]; do sleep 0.1; done
echo >"$file"
while kill -0 "$pid" 2>/dev/null; do wait "$pid" || true; done
count=$(messages)
echo "nats: the stream has $count" >&2
yes '' | head -n $((count - 1)) >>"$file"
