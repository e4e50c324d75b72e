#!/bin/sh
# record.sh [PICKET]: makes picket.svg, the picture in README.md, from what really happens.
#
# A shell on a terminal of its own starts picket (build/release/picket unless told) with the default
# rules and then a few harmless programs that look bad. All that the terminal showed, typed lines
# and alerts, becomes the picture. Needs root and what any Debian has.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
picket=$(realpath "${1:-$root/build/release/picket}")
columns=120
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The first process of this machine is hidden from the recording, so that the ancestry of its alerts
# begins with the terminal, whatever the machine.
record() {
    mkdir "$work/nothing"
    mkfifo "$work/keys"
    cat >"$work/profile" <<END
PS1='\n\e[1;32m#\e[0m '
PROMPT_COMMAND='sleep 0.5'
PATH=$(dirname "$picket"):\$PATH
END
    cat >"$work/session" <<END
mount --bind "$work/nothing" /proc/1
cd "$root"
export LC_ALL=C.UTF-8 TERM=xterm
exec script -qfc 'stty cols $columns rows 50
    exec bash --noediting --noprofile --rcfile $work/profile -i' $work/terminal <$work/keys >/dev/null 2>&1
END
    setsid -f unshare --mount sh "$work/session"
    exec 3>"$work/keys"
    while read -r line; do
        await prompting
        printf '%s\n' "$line" >&3
        await busy
        case $line in picket*) await watching ;; esac
    done
    await prompting
    cp "$work/terminal" "$work/shown"
    finish
    await ended
}

# The shell is back when its prompt is the last thing on the terminal.
prompting() {
    [ "$(tail -c 6 "$work/terminal" | tr -d '\033')" = '#[0m ' ]
}

busy() {
    ! prompting
}

watching() {
    grep -q ', watching: ' "$work/terminal"
}

ended() {
    grep -q '^Script done' "$work/terminal"
}

finish() {
    printf 'kill -INT %%1; wait; exit\n' >&3
    exec 3>&-
}

# await STATE: for ten seconds at most
await() {
    tries=100
    until "$1" 2>/dev/null; do
        tries=$((tries - 1))
        if [ "$tries" = 0 ]; then
            echo "record.sh: the shell is not $1; the terminal shows:" >&2
            cat "$work/terminal" >&2
            finish
            exit 1
        fi
        sleep 0.1
    done
}

record <<'END'
picket run -r rules &
cp /bin/true /tmp/x && /tmp/x
sh -c 'echo aWQ= | base64 -d | sh'
cp /bin/bash /tmp/nginx && /tmp/nginx -c 'sh -c id; exit'
(exec -a nc true -e sh 192.0.2.7 4444)
perl -e 'syscall 319, $n = "x", 0; system "cat /bin/true >/proc/$$/fd/3"; exec "/proc/$$/fd/3"'
END
rm -f /tmp/x /tmp/nginx

if grep ' ─ ' "$work/shown" | sed 's/\x1b\[[0-9;]*m//g' | grep -qv '^ *script ─ bash '; then
    echo "record.sh: something else on this machine raised an alert; try again" >&2
    exit 1
fi
LC_ALL=C awk -v columns="$columns" -f "$here/terminal.awk" "$work/shown" >"$here/picket.svg"
