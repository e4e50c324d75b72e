#!/bin/sh
# plugin.sh CPACK BUILD WORK: packs what was built, unpacks the package beside the tree, and with what is
# in it alone begins, builds and tries a plugin, in C and in C++.
set -eu
cpack=$1 build=$2 work=$3
rm -rf "$work"
mkdir -p "$work/root"
cd "$work"
"$cpack" --config "$build/CPackConfig.cmake" -B "$work" >pack.log 2>&1 || {
    cat pack.log
    exit 1
}
dpkg-deb -x ./*.deb root
root=$work/root
PKG_CONFIG_PATH=$(dirname "$(find "$root" -name picket.pc)")
PATH=$root/usr/bin:$PATH
export PATH PKG_CONFIG_PATH

for language in c cxx; do
    name=from-$language
    flag=
    [ "$language" = c ] || flag=--cxx
    picket plugin new ${flag:+"$flag"} "$name"
    cmake -G Ninja -S "$name" -B "$name/build" >"$name.log"
    cmake --build "$name/build" >>"$name.log"
    ninja -C "$name/build" -t deps | grep -q "$root/.*/picket/plugin.h" || {
        echo "FAILED: $name was not built with the package's header"
        exit 1
    }
    ctest --test-dir "$name/build" --output-on-failure
done

picket plugin test "$(find "$root" -name json.so),path=$work/alerts"

# Who has not got an output's libraries has all else.
field() { dpkg-deb -f ./*.deb "$1"; }
for library in libcurl libnats librdkafka libssl; do
    field Depends | grep -q "$library" && { echo "FAILED: $library is depended on"; exit 1; }
    field Recommends | grep -q "$library" || { echo "FAILED: $library is not recommended"; exit 1; }
done
for needed in libbpf libsqlite3 libseccomp passwd; do
    field Depends | grep -q "$needed" || { echo "FAILED: $needed is not depended on"; exit 1; }
done
for file in etc/picket/picket.yaml usr/lib/systemd/system/picket.service usr/share/man/man3/picket-plugin.3.gz; do
    [ -f "$root/$file" ] || { echo "FAILED: no $file in the package"; exit 1; }
done
picket check "$root/usr/share/picket/rules"
