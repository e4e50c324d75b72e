#!/bin/sh
# journal.sh SCENE PICKET CHECK: the journal of an engine that has given up its privileges, under a
# storm: killed at any moment (PICKET_KILLS times, else 5), on a full disk, damaged. SCENE is
# scene.sh, CHECK journal_check.py.
set -u
scene=$1
picket=$2
check=$3
kills=${PICKET_KILLS:-5}
# shellcheck source=tests/kernel/scene.sh
. "$scene"
disk=$work/disk

finish() {
    [ -n "$storm" ] && kill "$storm" 2>/dev/null
    [ -n "$pid" ] && kill -KILL "$pid" 2>/dev/null
    wait
    pid=
    umount "$disk" 2>/dev/null
    rm -rf "$work"
}
storm=
trap finish EXIT

cat >"$work/rules.yaml" <<END
rules:
  - id: storm
    severity: low
    match: {exe|endswith: /$token}
    tests: [{alerts: {exe: /x/$token}}]
END
cat >"$work/picket.yaml" <<END
rules: [rules.yaml]
outputs: [{plugin: json, path: $work/out.jsonl}]
journal: {path: $disk/made/alerts.db}
END
chmod 755 "$work"
mkdir "$disk"
mount -t tmpfs -o "size=$((160 + kills * 8))m" picket-journal "$disk" || {
    echo "skipped: no tmpfs can be mounted" >&2
    exit 77
}

start() {
    : >"$work/err"
    "$picket" run -c "$work/picket.yaml" 2>"$work/err" &
    pid=$!
    until_ready "$work/err" "$work/err"
}

stop() {
    kill -TERM "$pid"
    wait "$pid" || fail "ended with status $?: $(cat "$work/err")"
    pid=
}

# Programs without end, each an alert.
start_storm() {
    (while :; do "$work/$token" storm; done) &
    storm=$!
}

stop_storm() {
    kill "$storm"
    wait "$storm" 2>/dev/null
    storm=
}

# alerted ID: whether there is an alert of that rule.
alerted() {
    grep -q "\"rule\":{\"id\":\"$1\"" "$work/out.jsonl"
}

# expect_whole: what the journal has is what the output got.
expect_whole() {
    python3 "$check" "$disk/made/alerts.db" "$work/out.jsonl" || failed=1
}

start
"$picket" run -c "$work/picket.yaml" 2>"$work/second" &&
    fail "two engines have one journal"
grep -q 'another picket has it: process' "$work/second" || fail "not refused: $(cat "$work/second")"
stop

start_storm
for life in $(seq "$kills"); do
    start
    sleep "0.$(((life * 7919) % 8 + 1))"
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null
done
start
stop_storm
stop
expect_whole

# A disk that is full, and is not any more.
start
dd if=/dev/zero of="$disk/ballast" bs=4k 2>/dev/null
start_storm
until_true 300 alerted picket.journal_failed || fail "a full disk is not alerted on"
rm "$disk/ballast"
until_true 300 alerted picket.journal_recovered || fail "it does not recover"
stop_storm
stop
expect_whole

# Damage, which shows when the file is looked for: others have it by now.
start
mv "$disk/made/alerts.db" "$disk/made/gone.db"
start_storm
until_true 300 alerted picket.journal_replaced || fail "a journal that is gone is not noticed"
stop_storm
stop
[ -s "$disk/made/alerts.db" ] || fail "no other journal was begun"
stat -c %U:%a "$disk/made/alerts.db" "$disk/made/alerts.db-wal" | grep -qv ':640$' &&
    fail "files have other modes: $(ls -l "$disk/made")"

exit $failed
