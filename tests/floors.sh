#!/bin/sh
# The include direction: a file in core/X may include a header of core/Y only when X is Y or X's
# picket_floor() call names Y under USES (CMake itself checks that Y is the lower floor).
set -eu
cd "$1/core"
failed=0
for cmake in */CMakeLists.txt; do
    floor=${cmake%/CMakeLists.txt}
    allowed=" $floor picket $(tr '\n' ' ' <"$cmake" |
        sed -n 's/.*picket_floor([^)]*USES \([a-z ]*\).*/\1/p') "
    for file in "$floor"/*.[ch]; do
        for used in $(sed -n 's|^#include "\([a-z]*\)/.*|\1|p' "$file" | sort -u); do
            case $allowed in
            *" $used "*) ;;
            *)
                echo "core/$file includes core/$used, which core/$floor may not use"
                failed=1
                ;;
            esac
        done
    done
done
[ "$failed" = 0 ] && echo "every include points down"
exit "$failed"
