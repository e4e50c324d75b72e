#!/bin/sh
# Builds docs/examples/plugin as a stranger would: against an installed header and picket.pc alone.
# example_plugin.sh CMAKE SOURCE BUILD WORK
set -eu
rm -rf "$4"
DESTDIR=$4/root "$1" --install "$3" --component devel
pc=$(find "$4/root" -name picket.pc)
PKG_CONFIG_PATH=${pc%/*} "$1" -G Ninja -S "$2/docs/examples/plugin" -B "$4/build"
"$1" --build "$4/build"
test -f "$4/build/plain.so"
