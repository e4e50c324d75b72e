# Takes the fenced blocks of a manual apart, in order, into files of the folder OUT: N.rules.yaml,
# N.events.jsonl, N.console. A yaml block counts that is a rule file; N goes up with each.
/^```/ {
    if (open) {
        close(file)
        open = 0
    } else {
        open = 1
        kind = substr($0, 4)
        first = 1
    }
    next
}
open && first {
    first = 0
    file = "/dev/null"
    if (kind == "yaml" && /^(rules|lists|macros|overrides):/)
        file = sprintf("%s/%03d.rules.yaml", OUT, ++count)
    else if (kind == "json" && /^\{"type"/)
        file = sprintf("%s/%03d.events.jsonl", OUT, count)
    else if (kind == "console")
        file = sprintf("%s/%03d.console", OUT, count)
}
open { print >>file }
