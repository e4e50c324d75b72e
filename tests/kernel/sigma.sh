#!/bin/sh
# sigma.sh SCENE PICKET PLAYER: harmless programs under the names and with the arguments that
# Sigma's published rules (PICKET_CORPUS/sigma-dev) look for, run for real. Each raises just the alerts
# it is to raise, and each rule is shown. SCENE is scene.sh, PLAYER built of sigma_player.c.
set -u
scene=$1
picket=$2
player=$3
rules=${PICKET_CORPUS:-}/sigma-dev
# shellcheck source=tests/kernel/scene.sh
. "$scene"
if [ ! -d "$rules" ]; then
    echo "skipped: no rules at '$rules'" >&2
    [ -z "${CI:-}" ] && exit 77
    exit 1
fi

# The engine's user reads what is in here, wherever the corpus may be.
chmod 755 "$work"
cp -r "$rules" "$work/rules"
: >"$work/err"
"$picket" run -r "$work/rules" -o "json,path=$work/alerts" 2>"$work/err" &
pid=$!
until_ready "$work/err" "$work/err"
SIGMA_CASE=all "$player" >"$work/played" || fail "the player does not get to the end"
kill -INT "$pid"
wait "$pid" || fail "picket ends with status $?"
pid=
grep -q 'lost 0 ' "$work/err" || fail "something is lost: $(grep sensor "$work/err")"

# What was to alert of which pid, and what did. Of the event, the first pid is the one that ran.
awk '$1 == "ran" { for (i = 3; i <= NF; i++) print $2, $i }' "$work/played" | sort >"$work/wanted"
sed -n 's/.*"rule":{"id":"\([^"]*\)".*"event":{"type":"exec",[^{]*"pid":\([0-9]*\),.*/\2 \1/p' \
    "$work/alerts" |
    awk 'NR == FNR { ran[$2] = $1 == "ran"; next } ran[$1]' "$work/played" - | sort >"$work/alerted"
diff "$work/wanted" "$work/alerted" >"$work/differs" ||
    fail "programs and alerts (<: missing, >: too many): $(cat "$work/differs")"

find "$work/rules" -name '*.yml' -exec sed -n 's/^id: //p' {} + | sort >"$work/ids"
cut -d ' ' -f 2 "$work/alerted" | sort -u >"$work/shown"
awk '$1 == "cannot" { print $3 }' "$work/played" | sort >"$work/cannot"
sed 's/^/not shown, as this kernel has no such thing: /' "$work/cannot"
comm -23 "$work/ids" "$work/shown" | comm -23 - "$work/cannot" >"$work/missing"
[ -s "$work/ids" ] || fail "no rules"
[ -s "$work/missing" ] && fail "rules without a case: $(cat "$work/missing")"
echo "$(grep -c '^ran' "$work/played") programs, $(grep -c . "$work/alerted") alerts," \
    "$(grep -c . "$work/shown") of $(grep -c . "$work/ids") rules shown"
exit "$failed"
