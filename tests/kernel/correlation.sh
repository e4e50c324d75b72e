#!/bin/sh
# correlation.sh SCENE PICKET: rules about more than one event on the running kernel: the steps of a
# session, of what one shell started, a chain. What is recorded meanwhile gives the same alerts when
# it is replayed. SCENE is scene.sh.
set -u
scene=$1
picket=$2
# shellcheck source=tests/kernel/scene.sh
. "$scene"
recorder=
trap '[ -n "$recorder" ] && kill -KILL "$recorder"; cleanup' EXIT

# The engine's user reads what is in here.
chmod 755 "$work"
for name in fetch mark start; do
    cp "$work/$token" "$work/$token-$name"
done
cat >"$work/rules.yaml" <<END
rules:
  - {id: fetch, title: Fetch, match: {exe|endswith: /$token-fetch}, tests: []}
  - {id: mark, title: Mark, match: {exe|endswith: /$token-mark}, tests: []}
  - {id: start, title: Start, match: {exe|endswith: /$token-start}, tests: []}
---
title: Steps of a session
id: session-steps
correlation:
  {type: temporal_ordered, rules: [fetch, mark, start], group-by: sid, timespan: 1m}
---
title: Steps of what one process started
id: family-steps
correlation:
  {type: temporal_ordered, rules: [fetch, mark, start], group-by: ancestor.pid, timespan: 1m}
---
title: Many
name: many
correlation:
  {type: event_count, rules: fetch, group-by: ppid, timespan: 1m, condition: {gte: 50}}
---
title: Many, then one more thing
id: chain
correlation:
  {type: temporal_ordered, rules: [many, mark], group-by: ppid, timespan: 5m}
END

: >"$work/err"
"$picket" record "$work/events.jsonl" 2>"$work/recorded" &
recorder=$!
"$picket" run -r "$work/rules.yaml" -o "json,path=$work/alerts" 2>"$work/err" &
pid=$!
until_ready "$work/err" "$work/err"
until_ready "$work/recorded" "$work/recorded"

# steps STEP...: in a session of its own, each by a shell of its own; says the session's id.
steps() {
    # shellcheck disable=SC2016 # the inner shell's
    setsid sh -c 'echo $$; token=$1; shift; for step; do sh -c "$token-$step; true"; done' \
        steps "$work/$token" "$@"
}
session=$(steps fetch mark start)
steps fetch start mark fetch >"$work/disordered"
# shellcheck disable=SC2016
shell=$(sh -c 'echo $$; i=0; while [ $i -lt 50 ]; do "$1-fetch"; i=$((i + 1)); done; "$1-mark"; true' \
    shell "$work/$token")
"$work/$token"
until_true 50 grep -q "/$token\"" "$work/events.jsonl" || fail "record: no end"
kill -INT "$pid" "$recorder"
wait "$pid" || fail "picket ends with status $?"
wait "$recorder" || fail "record ends with status $?"
pid=
recorder=

# The manual shows the counts as they are, but of a run with a journal.
shape() {
    sed -n '/^picket: counts after/,/ offered /{
        s/[0-9][0-9]*/N/g
        s/^  [a-z]*  *offered/  OUTPUT offered/
        p
    }' "$1"
}
manual=${scene%/*}/../../docs/configuration.md
shape "$work/err" >"$work/shape"
[ ! -e "$manual" ] || shape "$manual" | grep -v "^  journal " | diff - "$work/shape" || fail "docs/configuration.md: other counts"

# has RULE TEXT: that rule alerted once, with that text; and nothing else did.
has() {
    grep "\"rule\":{\"id\":\"$1\"" "$work/alerts" >"$work/of-rule"
    [ "$(grep -c . "$work/of-rule")" = 1 ] || fail "$(grep -c . "$work/of-rule") alerts of $1"
    grep -q "$2" "$work/of-rule" || fail "$1: $(cut -c1-1000 "$work/of-rule")"
}
has session-steps "\"group\":{\"sid\":$session},\"count\":3,\"omitted\":0,.*{\"rule\":\"fetch\","
has family-steps "\"group\":{\"ancestor.pid\":$session},\"count\":3,"
has chain "\"group\":{\"ppid\":$shell},\"count\":2,.*{\"rule\":\"many\",.*\"count\":50,\"omitted\":18,"
[ "$(grep -c . "$work/alerts")" = 3 ] || fail "other alerts: $(cut -c1-300 "$work/alerts")"

# The two sensors looked at the clock at different moments, and an id is made of where its event is
# from.
compared() {
    sed 's/^{"id":"[^"]*"//; s/"\(time\|start_time\|exe.age\)":["0-9][^,]*,/"\1":0,/g
        s/ within [0-9.]* s,//' "$1"
}
"$picket" replay -r "$work/rules.yaml" -o "json,path=$work/replayed" "$work/events.jsonl" \
    2>"$work/err" || fail "replay: $(cat "$work/err")"
compared "$work/alerts" >"$work/live"
compared "$work/replayed" | cmp - "$work/live" ||
    fail "replay: $(compared "$work/replayed" | diff - "$work/live" | cut -c1-2000)"
exit "$failed"
