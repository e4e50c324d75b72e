#!/bin/sh
# arm64.sh FOLDER: builds the tests for arm64, in FOLDER/build, against Debian's packages unpacked in
# a folder whose path is printed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
# The libraries that dev has the build need, what stands for Hyperscan on arm64, those of the tests,
# and what initramfs.sh takes.
libraries=$(sed -n '/^build_packages=/,/"$/p' "$source/dev" | grep -o '[a-z0-9.-]*-dev')
# shellcheck disable=SC2086 # a list of words
root=$("$here/fetch.sh" arm64 "$1" packages $libraries libvectorscan-dev libgcc-12-dev \
    libcmocka-dev busybox-static coreutils procps)
# A cache that was copied was configured for where it came from.
grep -qsFx "CMAKE_CACHEFILE_DIR:INTERNAL=$1/build" "$1/build/CMakeCache.txt" || rm -rf "$1/build"
{
    cmake -G Ninja -S "$source" -B "$1/build" -D CMAKE_BUILD_TYPE=Release \
        -D CMAKE_TOOLCHAIN_FILE="$here/arm64.cmake" -D PICKET_ROOT="$root" &&
        cmake --build "$1/build" -- --quiet
} >"$1/build.log" 2>&1 || {
    tail -n 40 "$1/build.log" >&2
    exit 1
}
echo "$root"
