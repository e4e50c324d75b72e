#!/bin/sh
# Has `picket plugin new` begin a plugin and builds it as a stranger would, with what is installed
# alone; the plugin's own test has picket try whether it keeps its contract.
# plugin_project.sh CMAKE BUILD WORK c|cxx
set -eu
cmake=$1 build=$2 work=$3
[ "$4" = cxx ] && set -- --cxx || set --
rm -rf "$work"
mkdir -p "$work"
DESTDIR=$work/root "$cmake" --install "$build" --component devel >"$work/install.log"
pc=$(find "$work/root" -name picket.pc)
cd "$work"
PATH=$build:$PATH
"$build/picket" plugin new "$@" my-own
PKG_CONFIG_PATH=${pc%/*} "$cmake" -G Ninja -S my-own -B my-own/build
"$cmake" --build my-own/build
"${cmake%cmake}ctest" --test-dir my-own/build --output-on-failure
# A second time there is something in the way.
if "$build/picket" plugin new "$@" my-own 2>"$work/err"; then exit 1; fi
grep -q 'my-own cannot be made: File exists' "$work/err"
