#!/bin/sh
# run.sh LIST [PATIENCE]: runs the tests of a list (see list.cmake), each for at most PATIENCE times
# the time it is given, and says between the lines they print what table.awk reads. Runs natively
# and in a guest, whose shell is busybox's.
list=$1
patience=${2:-1}

# say WORD...: a line of its own, whatever was printed before.
say() {
    printf '\nmatrix: %s\n' "$*"
}

check() {
    name=$1
    limit=$2
    skipped=$3
    shift 3
    say begin "$name"
    began=$(date +%s)
    timeout -k 5 "$((limit * patience))" "$@" </dev/null 2>&1
    status=$?
    [ "$status" = "$skipped" ] && status=skipped
    say end "$name" "$status" "$(($(date +%s) - began))"
}

say kernel "$(uname -r)" "$(uname -m)"
# shellcheck source=/dev/null
. "$list"
say "done"
