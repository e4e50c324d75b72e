# The medians over the rounds of latency_bench's lines, for each watcher and rate; and what a watcher's
# p99 is to the first one's at that rate.
function field(name) {
    match($0, "\"" name "\":\"?[^,\"}]*")
    value = substr($0, RSTART, RLENGTH)
    sub(/^"[^"]*":"?/, "", value)
    return value
}

function median(key, name, i, k, kept) {
    for (i = 2; i <= rounds[key]; i++) {
        kept = values[key, name, i]
        for (k = i; k > 1 && values[key, name, k - 1] > kept; k--)
            values[key, name, k] = values[key, name, k - 1]
        values[key, name, k] = kept
    }
    i = int((rounds[key] + 1) / 2)
    return rounds[key] % 2 ? values[key, name, i] : (values[key, name, i] + values[key, name, i + 1]) / 2
}

/"bench":"latency"/ {
    key = field("watcher") SUBSEP field("rate")
    if (!(key in rounds))
        order[++keys] = key
    rounds[key]++
    missing[key] += field("missing")
    for (i = split("p50_us p90_us p99_us max_us", names, " "); i > 0; i--)
        values[key, names[i], rounds[key]] = field(names[i]) + 0
}

END {
    for (i = 1; i <= keys; i++) {
        split(order[i], part, SUBSEP)
        p99 = median(order[i], "p99_us")
        if (!(part[2] in first))
            first[part[2]] = p99
        printf "{\"bench\":\"latency\",\"medians_of\":%d,\"watcher\":\"%s\",\"rate\":%d", \
            rounds[order[i]], part[1], part[2]
        printf ",\"missing\":%d,\"p50_us\":%d,\"p90_us\":%d,\"p99_us\":%d,\"p99_to_first\":%.2f}\n", \
            missing[order[i]], median(order[i], "p50_us"), median(order[i], "p90_us"), p99, \
            p99 / first[part[2]]
    }
}
