#!/bin/sh
# clean_root.sh DEB [ROOT]: installs the package into a new root of Debian (a copy of ROOT, else debootstrap's),
# first without what it recommends, runs it there on this kernel, builds plugins with it and removes it. Loads
# packages from the mirror; needs root.
set -eu
deb=$(realpath "$1")
root=$(mktemp -d)
chmod 755 "$root"
mounted=

finish() {
    for place in $mounted; do umount -R -l "$place"; done
    rm -rf --one-file-system "$root"
}
trap finish EXIT

fail() {
    echo "FAILED: $*"
    exit 1
}

inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }

if [ $# -gt 1 ]; then
    cp -a "$2/." "$root/"
else
    debootstrap --variant=minbase bookworm "$root" >/dev/null
fi
for place in proc sys dev; do
    mount --rbind "/$place" "$root/$place"
    mount --make-rslave "$root/$place"
    mounted="$root/$place $mounted"
done
cp "$deb" "$root/picket.deb"

# run ARGUMENT...: a picket in there, while something is run that a rule alerts on.
run() {
    # shellcheck disable=SC2016 # the inner shell's
    inside sh -c 'picket run "$@" 2>/err & pid=$!
        until grep -q "Ctrl-C ends it" /err || ! kill -0 $pid; do sleep 0.2; done
        cp /bin/true /tmp/run-me && /tmp/run-me
        sleep 2; kill -INT $pid; wait $pid' run "$@" || fail "picket run: $(cat "$root/err")"
}

alerts() {
    rm -f "$root/alerts"
    run -r /usr/share/picket/rules -o json,path=/alerts
    grep -q /tmp/run-me "$root/alerts" || fail "no alert: $(cat "$root/err")"
}

echo "== without what is recommended"
inside apt-get install -y -qq --no-install-recommends /picket.deb >/dev/null
inside getent passwd picket
inside stat -c '%U:%G %a %n' /var/lib/picket /var/log/picket /etc/picket/picket.yaml
inside picket plugin list >"$root/list" 2>&1 || true
grep -q '^console ' "$root/list" || fail "no outputs: $(cat "$root/list")"
grep -q '^kafka ' "$root/list" && fail "kafka without librdkafka"
grep 'kafka' "$root/list"
alerts
# As the service does: there is no journald in here, but picket's own journal.
run
inside picket alerts | grep -q /tmp/run-me || fail "not in the journal: $(cat "$root/err")"
echo "== with it"
inside apt-get install -y -qq --install-recommends libcurl4 libnats3.4 librdkafka1 libssl3 >/dev/null
inside picket plugin list >"$root/list" || fail "plugin list: $(cat "$root/list")"
for output in console exec journald json kafka nats respond smtp syslog unix webhook; do
    grep -q "^$output " "$root/list" || fail "no $output"
done
alerts
echo "== a plugin"
inside apt-get install -y -qq --no-install-recommends cmake g++ make pkg-config >/dev/null
for language in '' --cxx; do
    inside sh -c "cd /root && picket plugin new $language my$language && cmake -S my$language -B b$language &&
        cmake --build b$language && ctest --test-dir b$language --output-on-failure" >"$root/log" 2>&1 ||
        fail "$(cat "$root/log")"
done
echo "== away"
inside dpkg --purge picket >/dev/null
for left in var/lib/picket var/log/picket etc/picket/picket.yaml usr/bin/picket; do
    [ ! -e "$root/$left" ] || fail "/$left stays"
done
echo "all is well"
