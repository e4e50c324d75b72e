#!/bin/sh
# privileges.sh SCENE PICKET RULES: what runs of picket once it watches holds no more than
# docs/security.md says, and everything goes on working. SCENE is scene.sh.
set -u
scene=$1
picket=$2
rules=$3
none=0000000000000000
# shellcheck source=tests/kernel/scene.sh
. "$scene"

# start ARGUMENTS...: picket in the background, with a descriptor it has no use for.
start() {
    : >"$work/err"
    : >"$work/out"
    "$picket" "$@" >"$work/out" 2>"$work/err" 9>"$work/inherited" &
    pid=$!
    until_ready "$work/err" "$work/out"
}

# Ends it, with status $1.
stop() {
    kill -TERM "$pid" 2>/dev/null
    wait "$pid"
    status=$?
    pid=
    [ "$status" = "$1" ] || fail "ended with status $status: $(cat "$work/err")"
}

# field STATUS-FILE KEY: its value, with one space between words.
field() {
    sed -n "s/^$2:[[:space:]]*//p" "$1" | tr -s '[:space:]' ' ' | sed 's/ $//'
}

# expect STATUS-FILE KEY VALUE
expect() {
    [ "$(field "$1" "$2")" = "$3" ] ||
        fail "$(field "$1" Name), $1: $2 is '$(field "$1" "$2")', not '$3'"
}

# expect_rights STATUS-FILE UID GID CAPABILITIES [PASSED-ON]
expect_rights() {
    expect "$1" Uid "$2 $2 $2 $2"
    expect "$1" Gid "$3 $3 $3 $3"
    expect "$1" Groups ""
    expect "$1" CapPrm "$4"
    expect "$1" CapEff "$4"
    expect "$1" CapInh "${5:-$none}"
    expect "$1" CapAmb "${5:-$none}"
    expect "$1" CapBnd $none
    expect "$1" NoNewPrivs 1
    expect "$1" Seccomp 2
}

expect_engine() {
    for task in /proc/"$pid"/task/*; do
        expect_rights "$task/status" "$1" "$2" $none
    done
    for fd in /proc/"$pid"/fd/*; do
        [ "$(readlink "$fd")" = "$work/inherited" ] && fail "an inherited descriptor is open"
    done
}

launcher() {
    pgrep -P "$pid" | while read -r child; do
        [ "$(field "/proc/$child/status" Name)" = picket-launcher ] && echo "$child"
    done
}

gone() {
    for process in "$@"; do
        [ -d "/proc/$process" ] && ! grep -q '^State:.Z' "/proc/$process/status" 2>/dev/null &&
            return 1
    done
    return 0
}

# alerted WORD FILE: runs a program of that name and waits for it in FILE.
alerted() {
    cp "$work/$token" "$work/$token-$1"
    "$work/$token-$1" $token
    until_true 50 grep -q "$token-$1 $token" "$2" || fail "no alert: $1"
}

# Engine, launcher and host; an alert; a host that is killed; a file that is moved away; a loss; the
# counts.
cat >"$work/picket.yaml" <<END
user: 3999
rules: [$rules]
outputs:
  - {plugin: json, path: $work/alerts}
sensor: {ring: 128KiB}
journal: {path: $work/kept/alerts.db}
END
chmod 711 "$work"
start run -c "$work/picket.yaml"
expect_engine 3999 3999
expect_rights "/proc/$(pgrep -P "$pid" -x picket-keeper)/status" 3999 3999 $none
launcher=$(launcher)
host=$(pgrep -P "$launcher")
expect_rights "/proc/$launcher/status" 3999 3999 00000000000000e0 00000000000000c0
expect_rights "/proc/$host/status" 65534 65534 $none
alerted first "$work/alerts"
mv "$work/alerts" "$work/rotated"
kill -9 "$host"
restarted() {
    new=$(pgrep -P "$launcher")
    [ -n "$new" ] && [ "$new" != "$host" ]
}
until_true 100 restarted || fail "the host is not started again"
alerted second "$work/rotated"
# Whom the engine has become may make files where it is to: logrotate's signal.
chmod 777 "$work"
kill -USR1 "$pid"
until_true 50 test -e "$work/alerts" || fail "SIGUSR1 opens no file"
alerted third "$work/alerts"
[ "$(stat -c %u:%a "$work/alerts")" = 3999:640 ] || fail "$(stat -c %u:%a "$work/alerts") made it"
expect_rights "/proc/$(pgrep -P "$launcher")/status" 65534 65534 $none
kill -STOP "$pid"
storm
kill -CONT "$pid"
until_true 50 grep -q 'events were missed' "$work/err" || fail "a loss is not told"
kill -USR2 "$pid"
until_true 50 grep -q 'counts after' "$work/err" || fail "SIGUSR2 prints no counts"
stop 0
gone "$launcher" "$host" || fail "processes are left"
grep -q 'json .*offered \([0-9]*\) = delivered \1 ' "$work/err" || fail "$(grep json "$work/err")"
# last LINE COUNT: of the counts at the end.
last() {
    sed -n "s/^  $1 .* $2 \([0-9]*\).*/\1/p" "$work/err" | tail -n 1
}
[ "$(last kernel emitted)" = $(($(last sensor received) + $(last sensor lost))) ] ||
    fail "$(grep '^  [ks]e' "$work/err")"
[ $(($(last sensor lost) + $(last kernel folded))) -gt 0 ] ||
    fail "a ring of 128 KiB is enough for 1000 execs"

# An output that runs as a user of its own, beside one that does not: each has a launcher, which is the
# engine's user as ever.
cat >"$work/own.yaml" <<END
user: 3999
rules: [$rules]
outputs:
  - {plugin: json, path: $work/own, run_as: 3998}
  - {plugin: json, name: second, path: $work/second}
journal: false
END
start run -c "$work/own.yaml"
for launcher in $(launcher); do
    expect_rights "/proc/$launcher/status" 3999 3999 00000000000000e0 00000000000000c0
    printf '%s\n' "$(field "/proc/$(pgrep -P "$launcher")/status" Uid)"
done | sort >"$work/users"
[ "$(tr '\n' ' ' <"$work/users")" = "3998 3998 3998 3998 65534 65534 65534 65534 " ] ||
    fail "outputs run as $(cat "$work/users")"
alerted own "$work/own"
alerted second "$work/second"
stop 0

# By default it is "picket", or nobody.
user=$(grep '^picket:' /etc/passwd || grep '^nobody:' /etc/passwd || echo x:x:65534:65534)
uid=$(echo "$user" | cut -d: -f3)
gid=$(echo "$user" | cut -d: -f4)
start run -r "$rules" -o "json,path=$work/alerts"
expect_engine "$uid" "$gid"

# Who is left when the engine is killed: nobody.
launcher=$(launcher)
host=$(pgrep -P "$launcher")
kill -9 "$pid"
until_true 50 gone "$launcher" "$host" || fail "an engine that is killed leaves processes"
wait "$pid" 2>/dev/null

# Without its launcher the engine ends, and says so.
start run -r "$rules" -o "json,path=$work/alerts"
kill -9 "$(launcher)"
until_true 150 gone "$pid" || fail "the engine goes on without outputs"
stop 1
grep -q 'error: the process that starts outputs is gone' "$work/err" || fail "$(cat "$work/err")"

# watch and record give up the same.
start watch
expect_engine "$uid" "$gid"
alerted third "$work/out"
stop 0
start record "$work/events.jsonl"
expect_engine "$uid" "$gid"
alerted fourth "$work/events.jsonl"
stop 0

# A user that is none, and root, are mistakes.
for user in no-such-user 0 root; do
    printf 'user: %s\nrules: [%s]\noutputs: [{plugin: json, path: %s}]\n' "$user" "$rules" \
        "$work/unmade" >"$work/wrong.yaml"
    "$picket" run -c "$work/wrong.yaml" 2>"$work/err" && fail "user: $user is fine"
    grep -q "wrong.yaml:1:7: error: .*'$user'.*\[wrong-user\]" "$work/err" || cat "$work/err"
    [ -e "$work/unmade" ] && fail "user: $user is noticed too late"
    printf 'rules: [%s]\noutputs:\n  - plugin: json\n    path: %s\n    run_as: %s\njournal: false\n' "$rules" \
        "$work/unmade" "$user" >"$work/wrong.yaml"
    "$picket" run -c "$work/wrong.yaml" 2>"$work/err" && fail "run_as: $user is fine"
    grep -q "wrong.yaml:5:13: error: .*'run_as': '$user': .*\[wrong-user\]" "$work/err" ||
        fail "$(cat "$work/err")"
    [ -e "$work/unmade" ] && fail "run_as: $user is noticed too late"
done

exit "$failed"
