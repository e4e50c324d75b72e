#!/bin/sh
# cli.sh PICKET RULES: the command on the running kernel, as a user meets it: run, its signals and its
# counts, watch, record, and a replay of what was recorded.
set -u
picket=$1
rules=$2
work=$(mktemp -d /tmp/picket-cli-XXXXXX)
token=picket-$$
failed=0
pids=

cleanup() {
    # shellcheck disable=SC2086 # a list of numbers
    [ -n "$pids" ] && kill $pids 2>/dev/null
    wait
    rm -rf "$work"
}
trap cleanup EXIT

if [ "$(id -u)" != 0 ]; then
    echo "needs root"
    [ -z "${CI:-}" ] && exit 77
    exit 1
fi

fail() {
    echo "FAILED: $*"
    failed=1
}

# until_true TENTHS COMMAND...: true as soon as the command is, at most that many tenths of a second.
until_true() {
    tenths=$1
    shift
    while [ "$tenths" -gt 0 ]; do
        "$@" && return 0
        sleep 0.1
        tenths=$((tenths - 1))
    done
    return 1
}

# start NAME ARGUMENTS...: picket in the background, ready when its standard error (or, for watch,
# its output) says so.
start() {
    name=$1
    shift
    "$picket" "$@" >"$work/$name.out" 2>"$work/$name.err" &
    pid=$!
    pids="$pids $pid"
    until_true 200 grep -q 'Ctrl-C ends it\|^TIME ' "$work/$name.err" "$work/$name.out" || {
        cat "$work/$name.err"
        fail "$name does not start"
        exit 1
    }
}

# stop NAME: ends it and looks at the counts it leaves.
stop() {
    kill -INT "$pid"
    wait "$pid" || fail "$1 ends with status $?"
    grep -q 'lost 0 ' "$work/$1.err" || fail "$1 lost something: $(grep sensor "$work/$1.err")"
    emitted=$(sed -n 's/.* emitted \([0-9]*\) .*/\1/p' "$work/$1.err" | tail -n 1)
    received=$(sed -n 's/.* received \([0-9]*\),.*/\1/p' "$work/$1.err" | tail -n 1)
    [ "$emitted" = "$received" ] || fail "$1: emitted $emitted, received $received"
}

cp /bin/true "$work/$token"

# A program from /tmp alerts within a second, on the console and as JSON.
start run run -r "$rules" -o console -o "json,path=$work/alerts"
"$work/$token" first
until_true 10 grep -q "$token first" "$work/run.out" || fail "no alert on the console in a second"
until_true 10 grep -q "$token first" "$work/alerts" || fail "no alert in the file in a second"
grep -q '"rule":{"id":"scratch-program"' "$work/alerts" || fail "another rule alerted"
kill -USR1 "$pid"
until_true 20 grep -q 'console .*offered [1-9]' "$work/run.err" || fail "SIGUSR1 prints no counts"
stop run
grep -q 'json .*offered \([0-9]*\) = delivered \1 + rejected 0 + dropped 0 + queued 0' \
    "$work/run.err" || fail "counts of json: $(grep json "$work/run.err")"

# watch prints a line an exec, failed ones too.
start watch watch
"$work/$token" second
"$work/$token-missing" third 2>/dev/null
until_true 20 grep -q "  0 $token *$work/$token second" "$work/watch.out" || fail "watch: no exec"
until_true 20 grep -q " -2 sh *$work/$token-missing third\| -2 .*$token-missing third" \
    "$work/watch.out" || fail "watch: no failed exec"
stop watch

# Who reads no further has seen enough: watch ends by itself.
"$picket" watch 2>/dev/null | head -n 1 >/dev/null &
reader=$!
ended() {
    "$work/$token"
    ! pgrep -f "^$picket watch" >/dev/null
}
until_true 50 ended || fail "watch goes on without a reader"
wait "$reader"

# What is recorded is alerted on by replay as it would have been live.
start record record "$work/events.jsonl"
"$work/$token" fourth
until_true 20 grep -q "$token fourth" "$work/events.jsonl" || fail "record: no event"
stop record
"$picket" replay -r "$rules" -o json,path=- "$work/events.jsonl" >"$work/replayed" 2>"$work/err" ||
    fail "replay: $(cat "$work/err")"
grep -q "\"message\":\"[a-z]* ran [^ ]*$work/$token from a scratch folder: $work/$token fourth\"" \
    "$work/replayed" || fail "replay does not alert"
[ "$(stat -c %a "$work/events.jsonl")" = 600 ] || fail "a recording is open to others"

# A replay whose alerts cannot be delivered says so, and with its status.
grep "$token fourth" "$work/events.jsonl" |
    "$picket" replay -r "$rules" -o json,path=/dev/full - 2>"$work/err" && fail "a full disk is fine"
grep -q 'json .*offered 1 = delivered 0' "$work/err" || fail "replay: $(cat "$work/err")"

exit "$failed"
