# awk -f results.awk PAGE LOG...: the page with the results of its tricks, from what
# tests/matrix/run.sh said on each kernel: behind the three columns of text of each row stand those
# of the kernels. A trick without a row, or a row without a trick, is an error.
function trick_of(row) {
    split(row, part, "`")
    return part[2]
}

# The first three columns of a row.
function text_of(row,    at, i) {
    for (i = at = 0; i < 4; i++)
        at += index(substr(row, at + 1), "|")
    return substr(row, 1, at)
}

function cell(row, trick, column) {
    if (row ~ /^\| trick/)
        return kernel[column]
    if (row ~ /^\|---/)
        return "---"
    return (trick, column) in result ? result[trick, column] : "-"
}

FNR == 1 { log_file = NR != 1 }
!log_file { page[++lines] = $0; next }

/^matrix: kernel / {
    name = $3
    sub(/(-cloud-|[+]).*/, "", name)
    if (FILENAME ~ /\/running\.log$/)
        sub(/-.*/, " (running)", name)
    kernel[++kernels] = name ($4 == "x86_64" ? "" : " " $4)
}

/^matrix: begin kernel_evasion_/ { partly = "" }
/^skipped: / { partly = "*" }

/^matrix: end kernel_evasion_/ && $3 != "kernel_evasion_seed" {
    trick = substr($3, length("kernel_evasion_") + 1)
    ran[trick] = 1
    result[trick, kernels] = $4 == "0" ? "pass" partly : $4 == "skipped" ? "skip" : "FAIL"
}

END {
    for (i = 1; i <= lines; i++) {
        line = page[i]
        inside = line ~ /^<!-- results made by/ || (inside && line !~ /^<!-- end of the results/)
        if (inside && line ~ /^\|/) {
            trick = trick_of(line)
            line = text_of(line)
            for (j = 1; j <= kernels; j++)
                line = line " " cell(line, trick, j) " |"
            if (trick != "" && !(trick in ran))
                wrong = wrong " " trick
            delete ran[trick]
        }
        print line
    }
    for (trick in ran)
        wrong = wrong " " trick
    if (wrong != "") {
        print "tricks without a row, or rows without a trick:" wrong >"/dev/stderr"
        exit 1
    }
}
