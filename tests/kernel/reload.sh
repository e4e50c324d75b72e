#!/bin/sh
# reload.sh SCENE PICKET: rules are read anew RELOADS times (300) while programs start as fast as they
# can, a third of the times from broken files. Each exec meets one set of rules, whole; what is folded
# is neither lost nor forgotten; memory stays. Then --watch. SCENE is scene.sh.
set -u
scene=$1
picket=$2
reloads=${RELOADS:-300}
# shellcheck source=tests/kernel/scene.sh
. "$scene"
storm=

# The engine's user reads what is in here.
chmod 755 "$work"
mkdir "$work/rules"
mkfifo "$work/said"

# write_rules GENERATION: two rules that are to hit together, one that folds and stays what it is, one
# that folds and is another rule each time.
write_rules() {
    cat >"$work/next" <<END
rules:
  - {id: first-$1, title: First, match: {comm: $token}, tests: [{alerts: {comm: $token}}]}
  - {id: kept, title: Kept, match: {comm|re: '$token'}, suppress: {by: [exe], for: 1h}, tests: [{quiet: {comm: x}}]}
  - {id: fold-$1, title: Fold, match: {comm: $token}, suppress: {by: [exe], for: 1h}, tests: [{quiet: {comm: x}}]}
  - {id: second-$1, title: Second, match: {comm: $token}, tests: [{quiet: {comm: x}}]}
END
}

# break_rules GENERATION: the same with a mistake, in one of five ways.
break_rules() {
    write_rules "$1"
    case $(($1 / 3 % 5)) in
    0) echo "  - {id: broken" >>"$work/next" ;;
    1) echo "  - {id: first-$1, title: Twice, match: {comm: x}, tests: []}" >>"$work/next" ;;
    2) echo "  - {id: x, title: X, match: {com: x}, tests: []}" >>"$work/next" ;;
    3) echo "  - {id: x, title: X, match: {comm: x}, tests: [{alerts: {comm: y}}]}" >>"$work/next" ;;
    4) echo "  - {id: x, title: X, severity: loud, match: {comm: x}, tests: []}" >>"$work/next" ;;
    esac
}

# heard: the next line that tells of a reload, into $line; the others are only kept.
heard() {
    while read -r line <&3; do
        printf '%s\n' "$line" >>"$work/err"
        case $line in
        *'rules read anew'* | *'error: changed rules'*) return 0 ;;
        esac
    done
    return 1
}

# Of its own, without the rings.
resident() {
    sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status"
}

write_rules 0
mv "$work/next" "$work/rules/zz.yaml"
"$picket" run -r "$work/rules" -o "json,path=$work/alerts" 2>"$work/said" &
pid=$!
exec 3<"$work/said"
while read -r line <&3; do
    case $line in *'Ctrl-C ends it'*) break ;; esac
done

# Processes that are gone are kept for a while: until there are enough of them, memory grows.
early=5000
count=0
while [ "$count" -lt "$early" ]; do
    "$work/$token"
    count=$((count + 1))
done

# The storm counts what it starts. It takes what the others leave of the CPUs: what is to be seen here
# is not how much an output can write.
cat >"$work/storm" <<'END'
count=0
over=
trap 'over=1' TERM
while [ -z "$over" ]; do
    "$1"
    count=$((count + 1))
done
echo "$count" >"$2"
END
nice -n 10 sh "$work/storm" "$work/$token" "$work/count" &
storm=$!

generation=0
took=0
before=0
while [ "$generation" -lt "$reloads" ]; do
    generation=$((generation + 1))
    if [ $((generation % 3)) = 0 ]; then
        break_rules "$generation"
        wanted='error: changed rules'
    else
        write_rules "$generation"
        wanted='rules read anew'
        took=$((took + 1))
    fi
    mv "$work/next" "$work/rules/zz.yaml"
    kill -HUP "$pid"
    heard || break
    case $line in
    *"$wanted"*) ;;
    *) fail "generation $generation: $line" ;;
    esac
    [ "$generation" = $((reloads / 3)) ] && before=$(resident)
done
after=$(resident)
kill -TERM "$storm"
wait "$storm"
started=$(($(cat "$work/count") + early))
kill -INT "$pid"
cat <&3 >>"$work/err"
wait "$pid" || fail "picket ends with status $?"
pid=

[ "$generation" = "$reloads" ] || fail "ended after $generation reloads"
grep -q "reloads *taken $took, rejected $((reloads - took))\$" "$work/err" ||
    fail "$(grep reloads "$work/err"), not $took and $((reloads - took))"
grep -q 'json .*offered \([0-9]*\) = delivered \1 + rejected 0 + dropped 0 + expired 0 + queued 0' "$work/err" ||
    fail "counts of json: $(grep '^  json' "$work/err")"
grep -q 'lost 0 (' "$work/err" || fail "$(grep '^  sensor' "$work/err")"
[ "$started" -gt $((early + reloads)) ] || fail "a storm of $started execs is none"
[ "$after" -le $((before + before / 16 + 512)) ] ||
    fail "resident memory grew from $before to $after KiB"

# Of each event both rules of one generation alert, once.
sed -n 's/^{"id":[^{]*{[^}]*},"rule":{"id":"\(first\|second\)-\([0-9]*\)".*"event":{"type":"exec","time":"\([^"]*\)".*"pid":\([0-9]*\),.*/\3 \2 \1/p' \
    "$work/alerts" | sort >"$work/pairs"
awk -v started="$started" '
    { event = $1; key = $1 " " $2 }
    event != last { events++; if (last != "" && have != "first second ") { bad++; print lastkey ": " have } have = "" }
    event == last && key != lastkey { mixed++ }
    { have = have $3 " "; last = event; lastkey = key; generations[$2] = 1 }
    END {
        if (have != "first second ") bad++
        for (g in generations) used++
        printf "%d execs, %d events in pairs, %d broken, %d mixed, %d generations\n", started, events, bad, mixed, used
        exit !(events == started && !bad && !mixed && used > 1)
    }' "$work/pairs" || fail "an exec did not meet one whole set of rules"

# sum RULE: alerts of the rules whose ids begin so, and all that they stand for.
sum() {
    grep "\"rule\":{\"id\":\"$1" "$work/alerts" |
        awk '{ n += match($0, /"folded":\{"count":[0-9]+/) ? substr($0, RSTART + 18, RLENGTH - 18) : 1 } END { print n + 0 }'
}
[ "$(sum fold-)" = "$started" ] || fail "$(sum fold-) of $started execs by rules that went"
[ "$(sum kept)" = "$started" ] || fail "$(sum kept) of $started execs by the rule that stayed"
[ "$(grep -c '"rule":{"id":"kept"' "$work/alerts")" = 2 ] ||
    fail "the rule that stayed began anew: $(grep -c '"rule":{"id":"kept"' "$work/alerts") alerts"
[ "$(grep -c '"rule":{"id":"picket.rules_rejected"' "$work/alerts")" = $((reloads - took)) ] ||
    fail "not every rejection alerted"
grep '"rule":{"id":"picket.rules_rejected"' "$work/alerts" | head -n 1 |
    grep -q "\"detail\":{\"errors\":1,\"diagnostics\":\\[{\"file\":\"$work/rules/zz.yaml\",\"line\":[0-9]*,\"column\":[0-9]*,\"code\":\"" ||
    fail "$(grep -m 1 picket.rules_rejected "$work/alerts")"
echo "reloads $reloads, resident $before then $after KiB"

# With --watch nobody has to ask. until_rule NAME: programs are started until that rule alerts.
until_rule() {
    alerted() {
        "$work/$token"
        grep -q "\"rule\":{\"id\":\"$1\"" "$work/watched"
    }
    until_true 100 alerted "$1" || fail "--watch: $1"
}
one_rule() {
    echo "rules: [{id: $1, title: X, match: {comm: $token}, tests: []}]"
}
mkdir -p "$work/folders/.data1" "$work/releases/1/in"
one_rule start >"$work/folders/a.yaml"
ln -s releases/1 "$work/current"
one_rule linked-1 >"$work/releases/1/in/r.yaml"
: >"$work/err"
"$picket" run --watch -r "$work/folders" -r "$work/current/in" -o "json,path=$work/watched" \
    2>"$work/err" &
pid=$!
until_ready "$work/err" "$work/err"
until_rule start
one_rule rewritten >"$work/folders/a.yaml"
until_rule rewritten
one_rule added >"$work/folders/b.yaml"
until_rule added
one_rule replaced >"$work/folders/.b.swp"
mv "$work/folders/.b.swp" "$work/folders/b.yaml"
until_rule replaced
mkdir -p "$work/folders/deep/down"
one_rule deep >"$work/folders/deep/down/c.yml"
until_rule deep
mv "$work/folders/deep" "$work/folders/renamed"
one_rule deeper >"$work/folders/renamed/down/c.yml"
until_rule deeper
# A ConfigMap: files are links into a folder that a link is moved to.
one_rule map-1 >"$work/folders/.data1/m.yaml"
ln -s .data1 "$work/folders/..data"
ln -s ..data/m.yaml "$work/folders/m.yaml"
until_rule map-1
mkdir "$work/folders/.data2"
one_rule map-2 >"$work/folders/.data2/m.yaml"
ln -s .data2 "$work/folders/..tmp"
mv -T "$work/folders/..tmp" "$work/folders/..data"
until_rule map-2
# A link on the way.
mkdir -p "$work/releases/2/in"
one_rule linked-2 >"$work/releases/2/in/r.yaml"
ln -s releases/2 "$work/next"
mv -T "$work/next" "$work/current"
until_rule linked-2
# What is no rule is not read. What came before may still be.
count=
until [ "$count" = "$(grep -c 'rules read anew' "$work/err")" ]; do
    count=$(grep -c 'rules read anew' "$work/err")
    sleep 2
done
echo x >"$work/folders/README"
touch "$work/elsewhere"
sleep 0.5
[ "$(grep -c 'rules read anew' "$work/err")" = "$count" ] || fail "--watch: read what is no rule"
rm "$work/folders/b.yaml"
until_true 100 grep -q 'rules read anew: 0 added, 1 removed, 0 changed' "$work/err" ||
    fail "--watch: a file is gone, and its rule is not"
kill -INT "$pid"
wait "$pid" || fail "--watch: ends with status $?"
pid=

# What cannot be begun any more takes a restart.
echo "rules: [{id: a, title: A, match: {comm: x}, tests: []}]" >"$work/sum.yaml"
: >"$work/err"
"$picket" run -r "$work/sum.yaml" -o "json,path=$work/asked" 2>"$work/err" &
pid=$!
until_ready "$work/err" "$work/err"
echo "rules: [{id: a, title: A, match: {exe.sha256: x}, tests: []}]" >"$work/sum.yaml"
kill -HUP "$pid"
until_true 50 grep -q '\[needs-restart\]' "$work/err" || fail "a hash without an opener: $(cat "$work/err")"
chmod 600 "$work/sum.yaml"
kill -HUP "$pid"
until_true 50 grep -q 'sum.yaml: error: cannot be read: Permission denied' "$work/err" ||
    fail "a file that is not the user's to read: $(cat "$work/err")"
kill -INT "$pid"
wait "$pid" || fail "ends with status $?"
pid=
exit "$failed"
