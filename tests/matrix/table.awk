# awk [-v markdown=1] -f table.awk LOG...: what run.sh said, as a table of tests and kernels, and
# below it why a test was skipped or has failed. Exits with 1 when one failed or did not end.
FNR == 1 { column_end(); column = 0 }

/^matrix: kernel / {
    column = ++columns
    release = $3
    sub(/(-cloud-|[+]).*/, "", release)
    if (FILENAME ~ /\/running\.log$/) {
        sub(/-.*/, "", release)
        release = release " (running)"
    }
    kernel[column] = release ($4 == "x86_64" ? "" : " " $4)
}

/^matrix: begin / {
    test = $3
    if (!(test in known)) {
        known[test] = 1
        tests[++test_count] = test
    }
    failed = ""
    reasons = 0
}

/^skipped: / { note_once(substr($0, 10)) }

/^\[  FAILED  \] [^ ]+$/ {
    if (index(failed ", ", " " $4 ", ") == 0)
        failed = failed (failed == "" ? " " : ", ") $4
}

/^FAILED: / { failed = failed (failed == "" ? " " : ", ") substr($0, 9) }

/^matrix: end / {
    if ($4 == "0")
        set(reasons == 0 ? "pass" : "pass*")
    else if ($4 == "skipped")
        set("skip")
    else {
        set("FAIL")
        note(failed != "" ? "failed:" failed : $4 == 124 || $4 == 143 ? "not ended in time" : "status " $4)
    }
    for (i = 1; i <= reasons; i++)
        note((($4 == "skipped") ? "skipped: " : "in part skipped: ") reason[i])
    test = ""
}

/^matrix: done$/ { complete[column] = 1 }

function set(word) {
    cell[test, column] = word
    bad = bad || word == "FAIL"
}

# The reason of a case, each once.
function note_once(text,    i) {
    for (i = 1; i <= reasons; i++)
        if (reason[i] == text)
            return
    reason[++reasons] = text
}

# A line below the table; kernels that share it share the line.
function note(text,    key) {
    key = test " " text
    if (!(key in noted)) {
        notes[++note_count] = key
        note_test[key] = test
        note_text[key] = text
    }
    noted[key] = noted[key] (noted[key] == "" ? "" : ", ") kernel[column]
}

# A log that breaks off, as that of a guest whose kernel died.
function column_end() {
    if (test != "") {
        set("FAIL")
        note("the kernel or its time ended here")
        test = ""
    }
    bad = bad || (columns > 0 && !complete[columns])
}

function pad(text, width) {
    return sprintf("%-" width "s", text)
}

function bar(edge,    line, j) {
    line = "| test |"
    for (j = 1; j <= columns; j++)
        line = line " " kernel[j] " |"
    print line
    gsub(/[^|]+/, "---", line)
    print line
}

END {
    column_end()
    if (markdown)
        bar()
    for (i = 1; i <= test_count; i++)
        width = length(tests[i]) > width ? length(tests[i]) : width
    if (!markdown) {
        line = pad("", width)
        for (j = 1; j <= columns; j++)
            line = line "  " kernel[j]
        print line
    }
    for (i = 1; i <= test_count; i++) {
        if (markdown && tests[i] ~ /^kernel_evasion_/)
            continue # docs/evasion.md has them
        line = markdown ? "| " tests[i] " |" : pad(tests[i], width)
        for (j = 1; j <= columns; j++) {
            word = (tests[i], j) in cell ? cell[tests[i], j] : "-"
            line = line (markdown ? " " word " |" : "  " pad(word, length(kernel[j])))
        }
        print line
    }
    if (note_count > 0)
        print ""
    for (i = 1; i <= note_count; i++) {
        key = notes[i]
        name = markdown ? "- `" note_test[key] "` on " : note_test[key] " on "
        print name noted[key] ": " note_text[key] (markdown ? "." : "")
    }
    exit bad
}
