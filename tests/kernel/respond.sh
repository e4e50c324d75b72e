#!/bin/sh
# respond.sh SCENE PICKET: an engine that has given up its privileges kills and stops the processes
# of alerts, through the one process of it that may, and no others. SCENE is scene.sh.
set -u
scene=$1
picket=$2
# shellcheck source=tests/kernel/scene.sh
. "$scene"
cp /bin/sleep "$work/$token-sleep"
chmod 755 "$work"

# In a chroot paths have more before them.
cat >"$work/rules.yaml" <<END
rules:
  - id: asleep
    severity: high
    match: {exe: ".*$work/$token-sleep"}
    tests: [{alerts: {exe: $work/$token-sleep}}]
  - id: other
    severity: high
    match: {exe: ".*$work/$token"}
    tests: [{alerts: {exe: $work/$token}}]
  - id: ended
    severity: low
    on: exit
    match: {exe: ".*$work/$token-sleep", exit.signal: 9}
    tests: [{alerts: {exe: $work/$token-sleep, exit.signal: 9}}]
END

# start SETTINGS: of the output that responds.
start() {
    : >"$work/err"
    rm -f "$work/alerts"
    cat >"$work/picket.yaml" <<END
rules: [rules.yaml]
user: 3999
journal: false
outputs:
  - {plugin: json, path: $work/alerts}
  - {plugin: respond, respond_to: [asleep, aslepe]$1}
END
    "$picket" run -c "$work/picket.yaml" 2>"$work/err" &
    pid=$!
    until_ready "$work/err" "$work/err"
}

stop() {
    kill -TERM "$pid"
    wait "$pid" || fail "ended with status $?: $(cat "$work/err")"
    pid=
}

# told WORDS: as an alert.
told() {
    until_true 50 grep -q "picket.response.*$1" "$work/alerts" ||
        fail "no alert of a response has '$1': $(grep -c . "$work/alerts")"
}

state() {
    sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null
}

sleeper() {
    "$work/$token-sleep" 600 >/dev/null 2>&1 &
}

# ended PID: waits for its end; the status. The shell's word about it is nobody's concern.
ended() {
    wait "$1" 2>/dev/null
}

capabilities() {
    responder=$(pgrep -P "$pid" -x picket-respond)
    sed -n 's/^CapEff:[[:space:]]*//p' "/proc/$responder/status"
}

# A mistyped rule is noticed. The alerts of other rules are none of its business; nor are alerts about picket itself.
start ", dry_run: false"
[ "$(capabilities)" = 0000000000000020 ] || fail "the responder has $(capabilities)"
for thread in /proc/"$pid"/task/*; do
    grep -q '^CapEff:.0*$' "$thread/status" || fail "the engine has capabilities"
done
grep -q "to rule 'aslepe', and gets no alerts" "$work/err" || fail "a rule that is not there is fine"
"$work/$token"
sleeper
ended $!
[ $? = 137 ] || fail "the process of the alert was not killed"
told "killed process $! "
told '"outcome":"done"'
grep -q "warning: output respond: killed process $! (" "$work/err" || fail "$(cat "$work/err")"

# How long it takes: from its fork to its end, as the kernel has both.
count=0
while [ "$count" -lt 8 ]; do
    sleeper
    ended $!
    count=$((count + 1))
done
# shellcheck disable=SC2317 # until_true calls it
nine_ended() {
    [ "$(grep -c '"id":"ended"' "$work/alerts")" = 9 ]
}
until_true 50 nine_ended || fail "not all ends were alerted on"
sed -n '/"id":"ended"/s/.*"duration":\([0-9]*\).*/\1/p' "$work/alerts" | sort -n |
    awk '{took[NR] = $1 / 1000} END {printf "fork, exec, killed: %d us in the middle of %d, %d at most\n", took[5], NR, took[NR]}'

# The tenth within a minute is the last.
sleeper
ended $!
sleeper
sleeping=$!
told '"reason":"limit"'
[ "$(state $sleeping)" = S ] || fail "more were killed than may be"
kill "$sleeping"
stop
grep -q 'respond .*offered 11 = delivered 11 ' "$work/err" || fail "$(grep ' respond' "$work/err")"

# Stopped.
start ", dry_run: false, action: stop"
sleeper
# shellcheck disable=SC2317
stopped() {
    [ "$(state $!)" = T ]
}
until_true 50 stopped || fail "it was not stopped"
kill -CONT $!
[ "$(state $!)" = S ] || fail "it cannot go on"
kill $!
stop

# Dry run, unless told otherwise: and then nobody could.
start ""
[ "$(capabilities)" = 0000000000000000 ] || fail "the responder has $(capabilities)"
sleeper
told '"outcome":"dry_run"'
[ "$(state $!)" = S ] || fail "a dry run has touched it"
stop

# A recorded event's pids are those of another time, or machine.
started=$(date -u -d "@$(awk '/^btime/{print $2}' /proc/stat)" +%Y-%m-%dT%H:%M:%SZ)
printf '{"type":"exec","time":"%s","pid":%s,"start_time":"%s","exe":"%s"}\n' \
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" $! "$started" "$work/$token-sleep" >"$work/events"
"$picket" replay -r "$work/rules.yaml" -o "respond,respond_to=asleep,dry_run=no" \
    -o "json,path=$work/replayed" "$work/events" 2>"$work/err" || fail "$(cat "$work/err")"
grep -q '"reason":"not_live"' "$work/replayed" || fail "$(cat "$work/replayed")"
[ "$(state $!)" = S ] || fail "a replay kills"
kill $!

exit "$failed"
