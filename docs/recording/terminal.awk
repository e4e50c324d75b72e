# Draws what script(1) recorded of a terminal, -v columns=N wide, as an SVG: text with the colours and
# weights of its SGR codes (ECMA-48, 8.3.117), lines wrapped as the terminal did. Run it in the C
# locale: it counts columns as the bytes that begin a character.

BEGIN {
    cell = 8.4    # 14 px of a monospaced face, whose advance is 0.6 em nearly everywhere
    line = 20
    margin = 18
    bar = 34
    escape = sprintf("%c", 27)
    split("#e06c75 #98c379 #e5c07b #61afef #c678dd #56b6c2 #d7dae0", hues)
    reset()
}

/^Script started / { next }
rows == 0 && /^\r?$/ { next }

{
    gsub(/\r/, "")
    rows++
    column = 0
    render($0)
}

END {
    height = bar + rows * line + margin
    width = columns * cell + 2 * margin
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" width=\"%g\" height=\"%g\">\n",
        width, height, width, height
    print "<title>picket run: alerts in a terminal</title>"
    print "<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace;fill:#d7dae0;white-space:pre}" \
        ".b{font-weight:bold}</style>"
    printf "<rect x=\"0.5\" y=\"0.5\" width=\"%g\" height=\"%g\" rx=\"8\" fill=\"#1b1e25\" stroke=\"#4b5263\"/>\n",
        width - 1, height - 1
    for (i = 0; i < 3; i++)
        printf "<circle cx=\"%d\" cy=\"17\" r=\"5.5\" fill=\"#4b5263\"/>\n", margin + 4 + i * 19
    printf "%s</svg>\n", drawing
}

# A line of the recording: text between control sequences.
function render(text,    at, sequence) {
    while ((at = index(text, escape)) > 0) {
        put(substr(text, 1, at - 1))
        text = substr(text, at)
        if (match(text, /^.\[[0-9;?]*[a-zA-Z]/)) {
            sequence = substr(text, 3, RLENGTH - 2)
            text = substr(text, RLENGTH + 1)
            if (sequence ~ /m$/)
                attributes(substr(sequence, 1, length(sequence) - 1))
        } else
            text = substr(text, 2)
    }
    put(text)
}

function reset() {
    bold = dim = 0
    ink = paper = ""
}

function attributes(codes,    list, count, i, code) {
    count = split(codes == "" ? "0" : codes, list, ";")
    for (i = 1; i <= count; i++) {
        code = list[i] + 0
        if (code == 0) reset()
        else if (code == 1) bold = 1
        else if (code == 2) dim = 1
        else if (code == 22) bold = dim = 0
        else if (code >= 31 && code <= 37) ink = hues[code - 30]
        else if (code == 39) ink = ""
        else if (code >= 41 && code <= 47) paper = hues[code - 40]
        else if (code == 49) paper = ""
        else if (code >= 91 && code <= 97) ink = code == 97 ? "#ffffff" : hues[code - 90]
    }
}

# Text of one look, cut where the terminal wrapped it.
function put(text,    room, head) {
    while (text != "") {
        if (column == columns) {
            rows++
            column = 0
        }
        room = columns - column
        head = first(text, room)
        draw(head)
        column += taken
        text = substr(text, length(head) + 1)
    }
}

# The first n characters of a text; taken is how many there were.
function first(text, n,    i, byte) {
    taken = 0
    for (i = 1; i <= length(text); i++) {
        byte = substr(text, i, 1)
        if (byte < "\200" || byte >= "\300")
            if (++taken > n) {
                taken = n
                break
            }
    }
    return substr(text, 1, i - 1)
}

function draw(text,    x, y, blanks) {
    x = margin + column * cell
    y = bar + (rows - 1) * line
    if (paper != "")
        drawing = drawing sprintf("<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n",
            x, y, taken * cell, line, paper)
    # Blanks at the ends would be at the mercy of the viewer.
    match(text, /^ */)
    x += RLENGTH * cell
    blanks = RLENGTH
    text = substr(text, RLENGTH + 1)
    if (match(text, / +$/)) {
        blanks += RLENGTH
        text = substr(text, 1, RSTART - 1)
    }
    if (text == "")
        return
    gsub(/&/, "\\&amp;", text)
    gsub(/</, "\\&lt;", text)
    gsub(/>/, "\\&gt;", text)
    drawing = drawing sprintf("<text x=\"%.1f\" y=\"%d\" textLength=\"%.1f\"%s%s>%s</text>\n",
        x, y + 15, (taken - blanks) * cell, bold ? " class=\"b\"" : "",
        ink != "" ? " style=\"fill:" ink "\"" : dim ? " style=\"fill:#8b93a5\"" : "", text)
}
