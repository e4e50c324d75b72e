#!/bin/sh
# boot.sh ARCH KERNEL INITRAMFS [PARAMETER...]: boots an unpacked kernel in an emulated machine, whose
# console is printed, until it switches itself off; one that does not is given half an hour.
set -eu
arch=$1
image=$(find "$2/" -type f -name 'vmlinuz*')
initramfs=$3
shift 3
case $arch in
amd64)
    console=ttyS0
    machine="qemu-system-x86_64 -M q35 -cpu max"
    ;;
arm64)
    console=ttyAMA0
    machine="qemu-system-aarch64 -M virt -cpu max,pauth-impdef=on"
    ;;
esac
# Not TOMOYO, which Debian 11 turns on: it refuses programs whose path is longer than 4 KiB.
# shellcheck disable=SC2086 # words
exec timeout --foreground 1800 $machine -accel tcg,thread=multi -smp 2 -m 2048 -display none -nodefaults \
    -no-reboot -serial stdio -kernel "$image" -initrd "$initramfs" \
    -append "console=$console quiet loglevel=3 panic=-1 lsm=lockdown,yama,apparmor $*" </dev/null
