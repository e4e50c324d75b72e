#!/bin/sh
# initramfs.sh BUILD LIST ROOT KERNEL OUT: a root filesystem for a guest that runs the tests of LIST
#   BUILD   the build folder that the tests are in; programs keep their paths
#   ROOT    unpacked packages of the guest's machine: busybox, and libraries ("" for this machine's)
#   KERNEL  an unpacked kernel, whose modules some tests need
set -eu
build=$1
list=$2
root=$3
kernel=$4
out=$5
here=$(cd "$(dirname "$0")" && pwd)
modules="binfmt_misc fuse overlay"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# put FILE...: at the same place in the guest; folders with all that is in them.
put() {
    for file in "$@"; do
        mkdir -p "$work$(dirname "$file")"
        cp -RL "$file" "$work$file"
    done
}

# needs FILE...: the loader and the libraries that programs name.
needs() {
    readelf -ld "$@" 2>/dev/null |
        sed -n 's/.*program interpreter: .*\/\([^]]*\)\]/\1/p; s/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u
}

# put_libraries FILE...: what they need, and what that needs.
put_libraries() {
    for name in $(needs "$@"); do
        [ -e "$work/lib/$name" ] && continue
        library=$(find "$root/lib/" "$root/usr/lib/" -maxdepth 2 -name "$name" | head -n 1)
        [ -n "$library" ] || {
            echo "initramfs.sh: no library $name in $root/lib and $root/usr/lib" >&2
            exit 1
        }
        cp -L "$library" "$work/lib/$name"
        put_libraries "$work/lib/$name"
    done
}

put_modules() {
    for module in $modules; do
        file=$(find "$kernel/" -name "$module.ko*")
        case $file in
        *.xz) xz -dc "$file" >"$work/modules/$module.ko" ;;
        ?*) cp "$file" "$work/modules/$module.ko" ;;
        esac
    done
}

mkdir -p "$work/bin" "$work/lib" "$work/etc" "$work/usr/bin" "$work/matrix" "$work/modules"
chmod 755 "$work"
ln -s lib "$work/lib64"
cp "$here/init" "$work/init"
cp "$here/run.sh" "$work/matrix/run.sh"
cp "$list" "$work/matrix/list"
# Beside busybox, what a test runs as a program of its own, and what busybox has not.
cp "$root/bin/busybox" "$root/bin/true" "$root/bin/sleep" "$root/usr/bin/pgrep" "$work/bin/"
printf 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >"$work/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$work/etc/group"
put_modules
# The programs, and what else of files the command lines name.
# shellcheck disable=SC2046 # lists of words
put $(find "$build/picket" "$build/plugins" "$build/tests/kernel" -type f -perm -u+x) \
    $(grep -o "'/[^']*'" "$list" | tr -d "'" | sort -u | grep -v "^$build")
# shellcheck disable=SC2046
put_libraries $(find "$work" -type f -perm -u+x)
(cd "$work" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) | gzip -1 >"$out"
