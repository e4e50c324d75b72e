#!/bin/sh
# forward.sh SCENE PICKET: an engine that alerts and forwards its events at once. Who reads the events
# has the same alerts, by their ids; on another machine, too, which then says who matched them. SCENE is
# scene.sh.
set -u
scene=$1
picket=$2
# shellcheck source=tests/kernel/scene.sh
. "$scene"

chmod 755 "$work"
cat >"$work/rules.yaml" <<END
rules:
  - {id: each, title: Each, match: {exe|endswith: /$token, host.name|exists: true}, message: "%{host.name}", tests: []}
  - {id: folded, title: Folded, match: {exe|endswith: /$token}, suppress: {for: 1h}, tests: []}
  - {id: ended, title: Ended, on: exit, match: {exe|endswith: /$token}, tests: []}
  - {id: failed, title: Failed, on: exec_failed, match: {filename|endswith: /$token-none}, tests: []}
  - {id: elsewhere, title: Elsewhere, match: {host.name: elsewhere}, tests: []}
---
title: Many
name: many
generate: true
correlation:
  {type: event_count, rules: each, group-by: [ppid, host.name], timespan: 1h, condition: {gte: 20}}
END
cat >"$work/picket.yaml" <<END
rules: [rules.yaml]
outputs:
  - {plugin: json, name: alerts, path: $work/alerts}
  - {plugin: json, name: events, path: $work/events, forward: events}
journal: {path: $work/journal/alerts.db}
END
: >"$work/err"
"$picket" run -c "$work/picket.yaml" 2>"$work/err" &
pid=$!
until_ready "$work/err" "$work/err"
count=0
while [ "$count" -lt 25 ]; do
    "$work/$token" "$count"
    count=$((count + 1))
done
setsid "$work/$token-none" 2>/dev/null
"$work/$token" last
until_true 100 grep -q "\"$work/$token\",\"last\"" "$work/events" || fail "no end"
kill -TERM "$pid"
wait "$pid" || fail "ended with status $?: $(cat "$work/err")"
pid=

# ids FILE: of the alerts that rules raised.
ids() {
    grep -v '"rule":{"id":"picket\.' "$1" | sed -n 's/^{"id":"\([^"]*\)".*/\1/p' | sort
}

# replay FILE INTO
replay() {
    "$picket" replay -r "$work/rules.yaml" -o "json,path=$2" "$1" 2>"$work/said" ||
        fail "replay: $(cat "$work/said")"
}

[ "$(grep -c '"rule":{"id":"each"' "$work/alerts")" = 26 ] || fail "other alerts"
grep -q '"rule":{"id":"many"' "$work/alerts" || fail "no correlation"
grep -q '"folded":{"count":25,' "$work/alerts" || fail "no summary"
grep -q '"rule":{"id":"ended"' "$work/alerts" || fail "no exits"
grep -q '"rule":{"id":"failed"' "$work/alerts" || fail "no failures"
grep -q "\"message\":\"$(uname -n)\"" "$work/alerts" || fail "no host.name"
grep -q '"origin"' "$work/alerts" && fail "an alert says its event's origin"

# The events are all there, and nothing else; the journal has none. Others on this machine may have
# made any number of them.
grep "/$token" "$work/events" >"$work/ours"
replay "$work/ours" "$work/here"
ids "$work/alerts" >"$work/live-ids"
ids "$work/here" | cmp - "$work/live-ids" || fail "the events give other alerts"
sed 's/^.*"rule":{"id"/{"id"/' "$work/here" | sort >"$work/here-shape"
grep -v '"rule":{"id":"picket\.' "$work/alerts" | sed 's/^.*"rule":{"id"/{"id"/' | sort |
    cmp - "$work/here-shape" || fail "the events give alerts that look otherwise"
grep -v '"host":{"name":"[^}]*},.*"origin":{"boot":"[0-9a-f]*","cpu":[0-9]*,"seq":[0-9]*}}$' \
    "$work/ours" | grep -v '"rule":{"id":"picket\.' && fail "an event without host or origin"
"$picket" alerts --journal "$work/journal/alerts.db" --format json >"$work/journalled" ||
    fail "alerts"
cmp "$work/journalled" "$work/alerts" || fail "the journal has other alerts than the output"

# As they would come from another machine.
sed 's/"host":{"name":"[^"]*",\("id":"[^"]*",\)*/"host":{"name":"elsewhere","id":"0a",/' "$work/ours" \
    >"$work/foreign"
replay "$work/foreign" "$work/there"
ids "$work/there" >"$work/there-ids"
grep '"rule":{"id":"elsewhere"' "$work/there" >"$work/marked" || fail "host.name is not that of the events"
grep -v '"host":{"name":"elsewhere","id":"0a","kernel":"[^}]*},"engine":{"name":"[^}]*},"rule"' "$work/there" &&
    fail "alerts do not say where they are from"
comm -23 "$work/live-ids" "$work/there-ids" | grep . && fail "other ids there"
grep '"rule":{"id":"many"' "$work/there" | grep -q '"group":{"ppid":[0-9]*,"host.name":"elsewhere"}.*"events":\[{[^}]*"host":{"name":"elsewhere"' ||
    fail "a correlation does not say where its events are from"
exit "$failed"
