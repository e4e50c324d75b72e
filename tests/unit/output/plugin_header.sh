#!/bin/sh
# The public header compiles alone, without a warning, in the languages it promises.
# plugin_header.sh INCLUDE_DIR CC CXX...
set -eu
include=$1 cc=$2
shift 2
check() {
    echo '#include <picket/plugin.h>' |
        "$@" -Wall -Wextra -pedantic -Werror -I"$include" -fsyntax-only -
    echo "ok: $*"
}
check "$cc" -x c -std=c99
check "$cc" -x c -std=c17
for cxx; do
    command -v "$cxx" >/dev/null || continue
    check "$cxx" -x c++ -std=c++98
    check "$cxx" -x c++ -std=c++17
    found=1
done
[ "${found:-}" ] || { echo "no C++ compiler among: $*"; exit 1; }
# Nothing but what a freestanding compiler has.
includes=$(sed -n 's/^#include //p' "$include/picket/plugin.h" | tr '\n' ' ')
[ "$includes" = "<stddef.h> <stdint.h> " ] || { echo "includes $includes"; exit 1; }
