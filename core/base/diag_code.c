#include "base/diag_code.h"

static const struct diag_code codes[] = {
    /* YAML */
    {"yaml-syntax", DIAG_CODE_ERROR,
     "The file is no YAML from here on. Look at indentation, quotes and what needs them (`[ ] { } "
     ", : # @ %` at certain places)."},
    {"yaml-too-deep", DIAG_CODE_ERROR, "Nested deeper than 64 levels, aliases included."},
    {"yaml-too-large", DIAG_CODE_ERROR, "More than 2,000,000 values, aliases included."},
    {"bad-character", DIAG_CODE_ERROR,
     "A byte that is not UTF-8, or a control character; write it as an escape in double quotes. A "
     "NUL cannot be part of any value."},
    {"duplicate-key", DIAG_CODE_ERROR,
     "A map has this key already. Two values for one field are a list."},
    {"bad-key", DIAG_CODE_ERROR, "A key must be a text."},
    {"unknown-alias", DIAG_CODE_ERROR,
     "`*name` without `&name` before it. A value that begins with `*` needs quotes."},
    /* Files and documents */
    {"unreadable-file", DIAG_CODE_ERROR,
     "The file or folder cannot be opened or read, or is larger than 32 MiB."},
    {"many-documents", DIAG_CODE_ERROR,
     "A configuration is one YAML document; a second begins here."},
    {"no-rules", DIAG_CODE_EITHER,
     "There is no rule in all that was loaded. That a folder holds no `*.yaml` or `*.yml` is a "
     "warning."},
    {"unknown-key", DIAG_CODE_ERROR, "No such key here."},
    {"unknown-exclusion", DIAG_CODE_ERROR,
     "What the configuration excludes from capture is not there."},
    {"missing-key", DIAG_CODE_ERROR,
     "A key that must be there is not: a rule's `id`, its `match` (or `where` and `condition`), "
     "the `for` of a `suppress`, an output's `plugin`."},
    {"conflicting-keys", DIAG_CODE_ERROR,
     "A rule has `match` as well as `where` or `condition`, a Sigma document `detection` as well "
     "as `correlation`; a `sensor` reads events of other machines, and has what is for those of "
     "this one."},
    {"wrong-type", DIAG_CODE_ERROR,
     "A map where a list belongs, a text where a map belongs, and the like."},
    {"wrong-user", DIAG_CODE_ERROR,
     "`user` in the configuration, or `run_as` of an output, names nobody in `/etc/passwd`, or "
     "root; or picket is not root and cannot choose whom an output runs as."},
    {"needs-restart", DIAG_CODE_ERROR,
     "A reload asks for what picket can only begin to do when it starts."},
    {"sigma-skipped", DIAG_CODE_WARNING,
     "A Sigma document that is passed over: it is for another log source than process executions "
     "of Linux (`--any-logsource` tries it all the same), deprecated, a correlation that refers to "
     "such a rule, or a filter of such rules alone. Rules that only such correlations refer to "
     "alert "
     "by themselves."},
    {"sigma-unsupported", DIAG_CODE_WARNING,
     "A Sigma rule or filter that is not loaded: it asks for what process executions never have, "
     "and would hold never or always; or a correlation that refers to such a rule, groups by what "
     "they never have, or asks for an order in other words than all of its rules. Rules that only "
     "such correlations refer to alert by themselves."},
    {"sigma-field", DIAG_CODE_WARNING,
     "A part of a Sigma rule or filter never holds, since process executions have no such field; "
     "the rest of it does its work."},
    {"sigma-logsource", DIAG_CODE_WARNING,
     "A Sigma rule is tried on process executions although its log source does not say so: it "
     "names neither category nor service, or `--any-logsource` was given."},
    {"unused-filter", DIAG_CODE_WARNING,
     "A Sigma filter that changes no rule, or not one that it names: its log source says what the "
     "rule's does not."},
    {"bad-filter", DIAG_CODE_ERROR,
     "A Sigma filter of a correlation: filter the rules that it refers to."},
    {"sigma-action", DIAG_CODE_ERROR,
     "A collection of Sigma rules (`action: global`), which Sigma knows no longer."},
    /* Rules */
    {"bad-id", DIAG_CODE_ERROR,
     "An id is made of letters, digits, `-`, `_` and `.`; `picket.` at its beginning is picket's "
     "own."},
    {"duplicate-id", DIAG_CODE_ERROR, "Two rules have one id. To change a rule, use `overrides`."},
    {"unknown-severity", DIAG_CODE_ERROR, "One of informational, low, medium, high, critical."},
    {"unknown-event", DIAG_CODE_ERROR, "`on` is exec, exec_failed or exit."},
    {"unknown-rule", DIAG_CODE_ERROR,
     "An override or a filter of a rule that is not there, or a correlation that refers to one."},
    {"ambiguous-rule", DIAG_CODE_ERROR,
     "A correlation or a filter refers to a rule by a name that two have: refer to it by its id."},
    {"not-overridable", DIAG_CODE_ERROR,
     "What a rule matches can only be narrowed, by `unless`; a correlation by that of the rules "
     "that it refers to."},
    {"bad-test", DIAG_CODE_ERROR,
     "A test is `alerts:` or `quiet:` with a map of fields, of a correlation also a list of such."},
    {"test-failed", DIAG_CODE_ERROR, "A rule's own test does not turn out as it says."},
    {"missing-tests", DIAG_CODE_WARNING,
     "A rule without `tests`. `tests: []` says that it is meant."},
    {"never-matches", DIAG_CODE_WARNING,
     "No event can make the rule, or this value, match: it contradicts itself, asks for a field "
     "that such events never have, or for a `comm` of more than 15 bytes. A correlation: rules "
     "that it needs are disabled."},
    {"bad-correlation", DIAG_CODE_ERROR,
     "A correlation that cannot be: of no known type, with a condition that no number meets or "
     "that its type does not have, an alias that leaves a rule out."},
    {"lone-event", DIAG_CODE_WARNING,
     "A single event is all that a correlation takes: it alerts whenever one of its rules hits."},
    {"silent-rule", DIAG_CODE_WARNING,
     "A rule above informational raises no alert, as it is part of correlations none of which is "
     "enabled. Enable one, or disable the rule."},
    {"repeated-rule", DIAG_CODE_WARNING,
     "A correlation names a rule twice, which makes no difference to its type."},
    {"unused-alias", DIAG_CODE_WARNING, "An alias of a correlation that nothing uses."},
    {"duplicate-rule", DIAG_CODE_WARNING, "Another rule matches exactly the same events."},
    {"shadowed-rule", DIAG_CODE_WARNING,
     "Every event that this rule matches is one that another rule, of no lesser severity and "
     "alerting wherever this one does, matches as well. Remove it, or narrow the other."},
    {"always-evaluated", DIAG_CODE_WARNING,
     "Nothing that must hold for the rule can be looked up, so every event of its type pays for "
     "it: what is under a `not` cannot, nor a comparison with another field, nor some regexes. Add "
     "something that must hold."},
    {"costly-regex", DIAG_CODE_WARNING,
     "The regex needs far more steps than others on a value made to be hard for it, as nested "
     "repetitions do (`(a+)+`). What is matched may be an attacker's: a value that is too "
     "expensive counts as no match."},
    /* Fields, modifiers, values */
    {"unknown-field", DIAG_CODE_ERROR, "No such field; `picket fields` lists them."},
    {"bad-field", DIAG_CODE_ERROR,
     "A field of the event asked of an ancestor, an ancestor too far away, a test that does not "
     "say which ancestor it means, or a field of many values under `fieldref` or where a "
     "correlation wants one; in a sum, a field that is no number."},
    {"unknown-modifier", DIAG_CODE_ERROR, "No such modifier."},
    {"bad-modifier", DIAG_CODE_ERROR, "The modifier has no meaning for a field of this type."},
    {"conflicting-modifiers", DIAG_CODE_ERROR, "Two modifiers that cannot stand together."},
    {"bad-value", DIAG_CODE_ERROR,
     "A value that is no number, size, duration, time, network or boolean where one is needed, or "
     "none at all; under `expand`, one without a `%list%`."},
    {"bad-regex", DIAG_CODE_ERROR,
     "The regex is none, the caret is where PCRE2 noticed; or it has a verb, `(*...)`."},
    {"bad-message", DIAG_CODE_ERROR,
     "A `%` that begins no field, or a field that has many values."},
    {"empty-selection", DIAG_CODE_ERROR, "A selection or list of nothing."},
    {"empty-value", DIAG_CODE_WARNING, "Every text contains the empty one."},
    {"too-many-values", DIAG_CODE_ERROR,
     "More than 100,000 values for one key or 200,000 of a rule, lists and macros opened; or one "
     "value that becomes more than 3,125 texts (`windash`) or 10,000 (`expand`); or a correlation "
     "of more than 1,024 rules, or by more than 16 fields."},
    /* Names and conditions */
    {"unknown-list", DIAG_CODE_ERROR,
     "`$name`, or `%name%` under `expand`, without a list of that name. Quoted, `$name` is plain "
     "text; so is `\\%name%`."},
    {"unknown-macro", DIAG_CODE_ERROR, "No macro of that name."},
    {"duplicate-name", DIAG_CODE_ERROR, "A list or macro is defined twice."},
    {"recursive-name", DIAG_CODE_ERROR,
     "A list or macro contains itself, a correlation refers to itself; or lists nest deeper than "
     "64, macros than 32, correlations than 8."},
    {"unused-list", DIAG_CODE_WARNING, "A list that nothing uses."},
    {"unused-macro", DIAG_CODE_WARNING, "A macro that nothing uses."},
    {"bad-name", DIAG_CODE_ERROR, "A selection named like a word of conditions."},
    {"bad-condition", DIAG_CODE_ERROR,
     "The condition cannot be read here. What follows is read as if the missing word stood there."},
    {"unknown-selection", DIAG_CODE_ERROR,
     "The condition names a selection that `where` does not have."},
    {"unused-selection", DIAG_CODE_EITHER,
     "The condition leaves a selection out (of Sigma only a filter's is looked at); of a "
     "correlation, a rule, which is an error."},
    /* Outputs */
    {"bad-output", DIAG_CODE_ERROR,
     "An `-o` that is not `NAME,key=value,...`, or a `--sensor` that is not "
     "`NAME=ADDRESS,key=value,...`."},
    {"duplicate-output", DIAG_CODE_ERROR, "Two outputs of one name; give one of them a `name`."},
    {"too-many-outputs", DIAG_CODE_ERROR, "More outputs than an engine takes."},
    {"unknown-plugin", DIAG_CODE_ERROR, "No plugin of that name; `picket plugin list` shows them."},
    {"plugin-failed", DIAG_CODE_ERROR, "The plugin could not be loaded or is broken."},
    {"unknown-option", DIAG_CODE_ERROR, "The plugin has no such option."},
    {"missing-option", DIAG_CODE_ERROR, "The plugin needs this option."},
    {"duplicate-option", DIAG_CODE_ERROR, "An option is given twice."},
    {"bad-option-value", DIAG_CODE_ERROR, "The value is not of the option's type."},
    {"exposed-secret", DIAG_CODE_ERROR,
     "A secret is given as an argument, which everybody on the machine can read: name a file or a "
     "credential that holds it."},
    {"unreadable-secret", DIAG_CODE_ERROR,
     "The file or credential that holds a secret cannot be read, or is empty."},
    {"cannot-open-file", DIAG_CODE_ERROR, "A file that the output writes to cannot be opened."},
    {"unknown-sensor", DIAG_CODE_ERROR, "No source of events of that name: there is `nats`."},
    {"sensor-failed", DIAG_CODE_ERROR,
     "The source of events could not be loaded, or says what is wrong with its options."},
    {"sensor-needs-journal", DIAG_CODE_ERROR,
     "Events of other machines are acknowledged when what came of them is journalled: with such a "
     "sensor there is no `journal: false`."},
    {"journal-failed", DIAG_CODE_ERROR,
     "The journal cannot be opened: another picket has it, its folder is not the engine's user's, "
     "or it is not one."},
};
#define CODES (sizeof codes / sizeof *codes)

const struct diag_code *diag_codes(size_t *count)
{
    *count = CODES;
    return codes;
}

const struct diag_code *diag_code_find(struct text name)
{
    for (size_t i = 0; i < CODES; i++)
        if (text_is(name, codes[i].name))
            return &codes[i];
    return NULL;
}

const char *diag_code_suggest(struct text name)
{
    const char *names[CODES];

    for (size_t i = 0; i < CODES; i++)
        names[i] = codes[i].name;
    return text_nearest(name, names, CODES);
}
