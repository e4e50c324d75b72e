#!/bin/sh
# cli.sh SCENE PICKET RULES: the command on the running kernel, as a user meets it: run, its signals
# and its counts, watch, record, and a replay of what was recorded. SCENE is scene.sh.
set -u
scene=$1
picket=$2
rules=$3
# shellcheck source=tests/kernel/scene.sh
. "$scene"

# nice_of FOLDER: how nice the process or thread with that folder in /proc is.
nice_of() {
    sed 's/.*) //' "$1/stat" | cut -d ' ' -f 17
}

# children_of PID: the folders of its children and theirs, of which there are any.
children_of() {
    for child in $(grep -l "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status 2>/dev/null); do
        child=${child%/status}
        echo "$child"
        children_of "${child#/proc/}"
    done
}

# start NAME ARGUMENTS...: picket in the background, ready.
start() {
    name=$1
    shift
    "$picket" "$@" >"$work/$name.out" 2>"$work/$name.err" &
    pid=$!
    until_ready "$work/$name.err" "$work/$name.out"
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

# A program from /tmp alerts within a second, on the console and as JSON.
start run run -r "$rules" -o console -o "json,path=$work/alerts"
"$work/$token" first
until_true 10 grep -q "$token first" "$work/run.out" || fail "no alert on the console in a second"
until_true 10 grep -q "$token first" "$work/alerts" || fail "no alert in the file in a second"
grep -q '"rule":{"id":"scratch-program"' "$work/alerts" || fail "another rule alerted"
# Detection and delivery go before others, who reads rules behind them.
[ "$(nice_of "/proc/$pid/task/$pid")" = -10 ] || fail "the detection thread has the usual priority"
for task in "/proc/$pid/task/"[0-9]* $(children_of "$pid"); do
    [ "$task" = "/proc/$pid/task/$pid" ] && continue
    wanted=0
    case $(cat "$task/comm") in
    picket-loader) wanted=10 ;;
    picket-deliver) wanted=-10 ;;
    esac
    [ "$(nice_of "$task")" = "$wanted" ] ||
        fail "$(cat "$task/comm") has nice $(nice_of "$task")"
done
kill -USR2 "$pid"
until_true 20 grep -q 'console .*offered [1-9]' "$work/run.err" || fail "SIGUSR2 prints no counts"
stop run
grep -q 'json .*offered \([0-9]*\) = delivered \1 + rejected 0 + dropped 0 + expired 0 + queued 0' \
    "$work/run.err" || fail "counts of json: $(grep json "$work/run.err")"

# An output or a rule that asks has the SHA-256 of what runs, while it runs: this folder is closed to
# the engine's user. Where a hash takes longer than an alert waits for it, the next exec has it.
is_hashed() {
    "$work/$token-sleep" 1000 &
    sleeper=$!
    until_true 30 grep -q "\"exe.sha256\":\"$sum\"" "$work/$1"
    found=$?
    kill "$sleeper"
    wait "$sleeper"
    return "$found"
}
hashed() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        is_hashed "$1" && return
    done
    fail "$2"
}
cp /bin/sleep "$work/$token-sleep"
sum=$(sha256sum "$work/$token-sleep" | cut -d ' ' -f 1)
cat >"$work/sum.yaml" <<END
rules:
  - {id: known-bad, title: Known, match: {exe.sha256: $sum}, tests: []}
END
cat >"$work/any.yaml" <<END
rules:
  - {id: any, title: Any, match: {exe|endswith: $token-sleep}, tests: []}
END
start hashing run -r "$work/sum.yaml" -o "json,path=$work/hashed"
hashed hashed "no rule sees a hash"
stop hashing
grep -q 'hashes .*read [1-9]' "$work/hashing.err" || fail "no count of hashes"
start asked run -r "$work/any.yaml" -o "json,path=$work/asked,sha256=true"
hashed asked "no output gets a hash"
stop asked
grep -q '"exe.sha256"' "$work/alerts" && fail "hashed, and nobody asked"

# Without the process that opens executables there are no hashes: the engine ends, and says so.
start unopened run -r "$work/sum.yaml" -o "json,path=$work/unopened"
kill -KILL "$(pgrep -P "$pid" -x picket-opener)"
until_true 50 grep -q 'opens executables is gone' "$work/unopened.err" || {
    fail "goes on without hashes"
    kill "$pid"
}
wait "$pid" && fail "fine without hashes"

# An engine that is stopped for a while misses what its rings have no room for. It counts that, and
# the alerts about it add up to the counts.
printf 'rules: [%s]\nsensor: {ring: 128KiB}\n' "$rules" >"$work/small.yaml"
start small run -c "$work/small.yaml" -o "json,path=$work/lost"
kill -STOP "$pid"
storm
kill -CONT "$pid"
until_true 50 grep -q '"rule":{"id":"picket.events_lost"' "$work/lost" || fail "no alert on a loss"
kill -INT "$pid"
wait "$pid" || fail "small ends with status $?"
alerted=$(sed -n 's/.*"detail":{"kind":"[a-z]*","count":\([0-9]*\).*/\1/p' "$work/lost" |
    { while read -r count; do total=$((${total:-0} + count)); done; echo "${total:-0}"; })
counted=$(sed -n '/^  \(kernel\|sensor\)/s/.* \(lost\|folded\) \([0-9]*\).*/\2/p' "$work/small.err" |
    { while read -r count; do total=$((${total:-0} + count)); done; echo "${total:-0}"; })
if [ "$alerted" != "$counted" ] || [ "$counted" = 0 ]; then
    fail "$alerted missed events in alerts, $counted counted: $(grep 'kernel\|sensor' "$work/small.err")"
fi

# Signals that come together are one wish: what was seen is delivered, and counted.
start twice run -r "$rules" -o "json,path=$work/twice"
"$work/$token" twice
kill -TERM "$pid"
kill -HUP "$pid"
wait "$pid" || fail "told twice to end, it ends with status $?"
grep -q 'json .*offered \([0-9]*\) = delivered \1 ' "$work/twice.err" || fail "ends without its counts"
grep -q "$token twice" "$work/twice" || fail "ends without its alerts"

# Started by nohup it goes on when its terminal is gone.
trap '' HUP
start nohup run -r "$rules" -o "json,path=$work/nohup"
trap - HUP
kill -HUP "$pid"
"$work/$token" nohup
until_true 20 grep -q "$token nohup" "$work/nohup" || fail "ended by a signal that it was to ignore"
stop nohup

# A file that may not grow costs what was to be written to it, not the engine: here the counts.
# shellcheck disable=SC3045 # dash and bash have it
ulimit -S -f 1
start full run -r "$rules" -o console
# shellcheck disable=SC3045
ulimit -S -f unlimited
kill -USR2 "$pid"
"$work/$token" full
until_true 20 grep -q "$token full" "$work/full.out" || fail "ended by a file that may not grow"
kill -INT "$pid"
wait "$pid" || fail "ends with status $? for a file that may not grow"

# Pids are the machine's: where they are not, there is nothing to be seen right.
# (In a chroot that is no mount nothing can be mounted out of sight.)
inside() {
    if unshare --mount true 2>/dev/null; then
        unshare --pid --fork --mount-proc "$@"
    else
        unshare --pid --fork "$@"
    fi
}
inside "$picket" run -r "$rules" 2>"$work/inside" && fail "starts in a pid namespace"
grep -q 'pid namespace' "$work/inside" || fail "in a pid namespace: $(cat "$work/inside")"

# watch prints a line an exec, failed ones too.
start watch watch
"$work/$token" second
"$work/$token-missing" third 2>/dev/null
until_true 20 grep -q "  0 $token *$work/$token second" "$work/watch.out" || fail "watch: no exec"
until_true 20 grep -q " -2 sh *$work/$token-missing third\| -2 .*$token-missing third" \
    "$work/watch.out" || fail "watch: no failed exec"
stop watch
grep -q 'picket version' "$work/watch.out" && fail "watch shows picket's own trial"
grep -q 'does not report\|could not be tried' "$work/watch.err" &&
    fail "watch: $(cat "$work/watch.err")"

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
SSH_CONNECTION="$token" "$work/$token" fourth
until_true 20 grep -q "$token fourth" "$work/events.jsonl" || fail "record: no event"
grep "$token fourth" "$work/events.jsonl" | grep -q "\"SSH_CONNECTION=$token\"" ||
    fail "record: no environment"
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
