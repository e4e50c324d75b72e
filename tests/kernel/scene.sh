# shellcheck shell=sh
# What the tests of the command have in common, sourced: root; a folder, $work, with a program in it,
# $token, by whose name its events are known; the picket that is running, $pid; what has $failed.
# Folder and picket go with the test.

if [ "$(id -u)" != 0 ]; then
    echo "skipped: needs root" >&2
    [ -z "${CI:-}" ] && exit 77
    exit 1
fi

work=$(mktemp -d /tmp/picket-XXXXXX)
token=picket-$$
failed=0
pid=

cleanup() {
    [ -n "$pid" ] && kill -KILL "$pid" 2>/dev/null
    wait
    rm -rf "$work"
}
trap cleanup EXIT

# shellcheck disable=SC2034 # the status of who sources this
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

# until_ready ERR OUT: its standard error or, for watch, its output says that picket watches.
until_ready() {
    until_true 200 grep -q 'Ctrl-C ends it\|^TIME ' "$1" "$2" && return
    cat "$1"
    fail "picket does not start"
    exit 1
}

# storm: a thousand execs.
storm() {
    count=0
    while [ "$count" -lt 1000 ]; do
        "$work/$token" storm
        count=$((count + 1))
    done
}

cp /bin/true "$work/$token"
