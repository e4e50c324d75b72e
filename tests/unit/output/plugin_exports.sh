#!/bin/sh
# A plugin exports its descriptor and nothing else (of its own: ASan marks it). plugin_exports.sh FILE...
set -eu
for file; do
    exports=$(nm -D --defined-only "$file" | sed 's/.* //' | grep -v '^__odr_asan' | tr '\n' ' ')
    [ "$exports" = "picket_plugin " ] || { echo "$file exports: $exports"; exit 1; }
    echo "ok: $file"
done
