#!/bin/sh
# fetch.sh ARCH FOLDER kernel VERSION     unpacks Debian's newest kernel VERSION.* ("6.1"; or "newest")
# fetch.sh ARCH FOLDER packages NAME...   unpacks packages of Debian 12 with all they depend on
# Into a folder of its own below FOLDER, whose path is printed; kept for the next time. Packages come
# from where this machine has its own from, checked by apt as always, with lists of our own: nothing
# of the machine changes.
set -eu
arch=$1
folder=$2
what=$3
shift 3
suites="bullseye bookworm bookworm-backports trixie trixie-backports sid"

configure() {
    mkdir -p "$folder/apt/lists/partial" "$folder/apt/archives/partial"
    # shellcheck disable=SC2016 # a word of apt's
    archive=$(apt-get indextargets --format '$(REPO_URI)' \
        'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
    for suite in $suites; do
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $suite main"
    done >"$folder/apt/sources.list"
    cat >"$folder/apt/apt.conf" <<END
APT::Architecture "$arch";
APT::Architectures "$arch";
APT::Default-Release "bookworm";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages "none";
Dir::Etc::SourceList "$folder/apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State "$folder/apt";
Dir::State::Lists "$folder/apt/lists";
Dir::State::Status "/dev/null";
Dir::Cache "$folder/apt";
END
}

# The lists are a day old at most; a suite that has gone from the archive leaves the others.
update() {
    [ -n "$(find "$folder/apt/updated" -mmin -1440 2>/dev/null)" ] && return
    apt-get update -qq 2>"$folder/apt/update.log" || cat "$folder/apt/update.log" >&2
    touch "$folder/apt/updated"
}

# release VERSION: the full name of the kernel ("6.1.0-50-cloud-amd64").
release() {
    case $1 in
    newest) pattern='[0-9]' ;;
    *) pattern=$(printf '%s[.+-]' "$1" | sed 's/\.\([0-9]\)/\\.\1/g') ;;
    esac
    apt-cache pkgnames linux-image- | sed -n "s/^linux-image-\($pattern.*-cloud-$arch\)$/\1/p" |
        grep '^[0-9]*\.[0-9]*\.[0-9]' | sort -V | tail -n 1
}

# unpack PLACE COMMAND...: PLACE with what the packages hold that the command leaves in a folder.
unpack() {
    place=$1
    shift
    [ -d "$place" ] && return
    rm -rf "$place.new" "$folder/apt/archives"
    mkdir -p "$place.new" "$folder/apt/archives/partial"
    (cd "$folder/apt/archives" && "$@" >"$folder/apt/fetch.log" 2>&1) || {
        cat "$folder/apt/fetch.log" >&2
        exit 1
    }
    for package in "$folder"/apt/archives/*.deb; do
        dpkg -x "$package" "$place.new"
    done
    rm -rf "$folder/apt/archives"
    mv "$place.new" "$place"
}

configure
export APT_CONFIG="$folder/apt/apt.conf"
update
case $what in
kernel)
    release=$(release "$1")
    [ -n "$release" ] || {
        echo "fetch.sh: the package registry has no kernel $1 for $arch" >&2
        exit 1
    }
    place=$folder/linux-$release
    # From 6.19 on the kernel and its modules are in packages of their own.
    # shellcheck disable=SC2046 # a list of words
    unpack "$place" apt-get download $(apt-cache pkgnames linux- |
        grep -Fx -e "linux-image-$release" -e "linux-binary-$release" -e "linux-modules-$release")
    ;;
packages)
    place=$folder/root
    [ "$(cat "$folder/root.packages" 2>/dev/null)" = "$*" ] || rm -rf "$place"
    echo "$*" >"$folder/root.packages"
    unpack "$place" apt-get install -y --download-only "$@"
    ;;
esac
echo "$place"
