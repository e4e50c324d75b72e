#!/bin/sh
# matrix.sh BUILD [--write] [KERNEL...]: runs the kernel tests of a build on each kernel and prints a
# table; with --write also into docs/kernels.md and docs/evasion.md. A KERNEL is "running", a version
# ("6.1": the newest of Debian's that begin so), "newest", or one of these for the other machine
# ("6.1-arm64"). Needs root. What is fetched and built is kept in build/matrix, logs too.
set -eu
build=$(cd "$1" && pwd)
shift
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
work=$source/build/matrix
docs=$source/docs
write=
if [ "${1:-}" = --write ]; then
    write=yes
    shift
fi
[ $# -gt 0 ] || set -- running 5.10 6.1 6.12 6.17 7.0 7.1 newest 6.1-arm64

list() {
    cmake -D BUILD="$1" -D OUT="$2" -P "$here/list.cmake"
}

# guest ARCH VERSION BUILD ROOT: runs the tests in an emulated machine.
guest() {
    kernel=$("$here/fetch.sh" "$1" "$work/$1" kernel "$2") &&
        list "$3" "$work/list" &&
        "$here/initramfs.sh" "$3" "$work/list" "$4" "$kernel" "$work/initramfs" &&
        boot "$1" "$kernel"
}

# boot ARCH KERNEL: what the guest says. Now and then a kernel dies early while it patches itself,
# which an emulated machine does not do well: once more then.
boot() {
    for attempt in 1 2 3; do
        "$here/boot.sh" "$1" "$2" "$work/initramfs" patience=3 >"$work/console"
        grep -q '^matrix: kernel' "$work/console" && break
        echo "boot $attempt ended before the tests" >&2
    done
    cat "$work/console"
}

# run KERNEL: what run.sh says there. The programs of the other machine are built first.
run() {
    case $1 in
    running) list "$build" "$work/list" && "$here/run.sh" "$work/list" ;;
    *-arm64)
        root=$("$here/arm64.sh" "$work/arm64") &&
            guest arm64 "${1%-arm64}" "$work/arm64/build" "$root"
        ;;
    *) guest amd64 "$1" "$build" "" ;;
    esac
}

# Puts what the logs say between the marks of the pages: the tricks on one of their own.
write_pages() {
    awk -v markdown=1 -f "$here/table.awk" "$@" >"$work/table.md" || true
    awk -v table="$work/table.md" '
        /^<!-- end of the table -->$/ { inside = 0 }
        !inside
        /^<!-- table made by/ {
            inside = 1
            while ((getline line < table) > 0)
                print line
        }' "$docs/kernels.md" >"$work/kernels.md"
    cp "$work/kernels.md" "$docs/kernels.md"
    awk -f "$source/tests/kernel/evasion/results.awk" "$docs/evasion.md" "$@" >"$work/evasion.md" &&
        cp "$work/evasion.md" "$docs/evasion.md"
}

mkdir -p "$work/logs"
failed=
set -- "$@" --
while [ "$1" != -- ]; do
    log=$work/logs/$1.log
    echo "== $1" >&2
    run "$1" >"$log" 2>&1 || {
        tail -n 40 "$log" >&2
        failed="$failed $1"
    }
    shift
    set -- "$@" "$log"
done
shift
[ -z "$write" ] || write_pages "$@"
awk -f "$here/table.awk" "$@" || failed="$failed tests"
[ -z "$failed" ] || {
    echo "failed:$failed; what was printed is in build/matrix/logs" >&2
    exit 1
}
