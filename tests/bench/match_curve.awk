# match_curve.awk: match_bench's lines as a picture (SVG) of what an event costs as rules grow.
# Both scales are logarithmic. awk -f match_curve.awk <lines >picture.svg

function value(name) {
    return match($0, "\"" name "\":[0-9.]+") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) + 0 : 0
}
function x(rules) { return 90 + 160 * log(rules / 10) / log(10) }
function y(ns) { return 330 - 60 * log(ns / 100) / log(10) }
function line(points, colour) {
    printf "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", points, colour
}
function label(at, ns, colour, text, dy) {
    printf "<text x=\"%.1f\" y=\"%.1f\" fill=\"%s\">%s</text>\n", at + 8, y(ns) + dy, colour, text
}
function dot(at, ns, colour) {
    printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", at, y(ns), colour
}
function unit(ns) {
    return ns < 1000 ? ns " ns" : ns < 1000000 ? ns / 1000 " µs" : ns / 1000000 " ms"
}

/"set":"generated"/ {
    rules[++n] = value("rules")
    indexed[n] = value("indexed"); plain[n] = value("plain"); pcre2[n] = value("pcre2")
}
/"set":"sigma"/ { sigma_rules[++sigmas] = value("rules"); sigma[sigmas] = value("indexed") }

END {
    print "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 400\" font-family=\"sans-serif\" font-size=\"13\">"
    print "<rect width=\"760\" height=\"400\" fill=\"#fff\"/>"
    print "<text x=\"90\" y=\"22\" font-size=\"15\">What matching costs an event, by number of rules</text>"
    for (ns = 100; ns <= 10000000; ns *= 10) {
        printf "<path d=\"M90 %.1fH570\" stroke=\"#ddd\"/>\n", y(ns)
        printf "<text x=\"82\" y=\"%.1f\" text-anchor=\"end\" fill=\"#555\">%s</text>\n", y(ns) + 4, unit(ns)
    }
    for (i = 1; i <= n; i++) {
        printf "<text x=\"%.1f\" y=\"352\" text-anchor=\"middle\" fill=\"#555\">%d</text>\n", x(rules[i]), rules[i]
        at = sprintf("%.1f,", x(rules[i]))
        a = a at sprintf("%.1f ", y(indexed[i])); b = b at sprintf("%.1f ", y(plain[i]))
        c = c at sprintf("%.1f ", y(pcre2[i]))
        dot(x(rules[i]), indexed[i], "#06c"); dot(x(rules[i]), plain[i], "#999")
        dot(x(rules[i]), pcre2[i], "#c60")
    }
    print "<text x=\"330\" y=\"376\" text-anchor=\"middle\" fill=\"#555\">rules</text>"
    line(a, "#06c"); line(b, "#999"); line(c, "#c60")
    label(x(rules[n]), indexed[n], "#06c", "picket", 4)
    label(x(rules[n]), plain[n], "#777", "picket, each rule evaluated", 14)
    label(x(rules[n]), pcre2[n], "#c60", "PCRE2 (JIT), one by one", -4)
    for (i = 1; i <= sigmas; i++) {
        dot(x(sigma_rules[i]), sigma[i], "#093")
        if (i == sigmas)
            label(x(sigma_rules[i]), sigma[i], "#093", "Sigma rules", -8)
    }
    print "</svg>"
}
