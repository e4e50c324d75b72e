#!/bin/sh
# golden.sh PICKET CASE: runs CASE/cmd with `picket` as a command and compares what it printed with
# CASE/stdout and CASE/stderr (where they are there) and its status with CASE/status (else 0).
# A status of 77 means that the case cannot run here; with CI set that is a failure.
set -u
picket=$1
case_dir=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
ln -s "$picket" "$work/bin/picket"
PATH=$work/bin:$PATH
export PATH
cd "$case_dir" || exit 1

sh ./cmd >"$work/stdout" 2>"$work/stderr"
status=$?
if [ "$status" = 77 ]; then
    cat "$work/stdout" "$work/stderr"
    [ -z "${CI:-}" ] && exit 77
    echo "this case must run in CI"
    exit 1
fi
failed=0
wanted=0
[ -f status ] && wanted=$(cat status)
if [ "$status" != "$wanted" ]; then
    echo "status $status, not $wanted"
    failed=1
fi
for stream in stdout stderr; do
    if [ -f "$stream" ]; then
        diff -u "$stream" "$work/$stream" || failed=1
    elif [ "$failed" = 1 ]; then
        cat "$work/$stream"
    fi
done
exit "$failed"
