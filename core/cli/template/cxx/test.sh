#!/bin/sh
# Has picket try whether the plugin keeps to its contract, and looks at what it wrote.
# test.sh PICKET PLUGIN
set -eu
picket=$1 plugin=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$picket" plugin test "$plugin,path=$work/alerts,prefix=* "
grep -q '^\* .*/tmp/x was run' "$work/alerts" || { echo "no alert was written"; exit 1; }

# The same under valgrind, when that is there.
if command -v valgrind >/dev/null; then
    "$picket" plugin test --leaks "$plugin,path=/dev/null"
fi
