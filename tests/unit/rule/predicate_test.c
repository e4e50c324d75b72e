#include "rule_fixture.h"

#include <errno.h>

#include "base/clock.h"
#include "rule/glob.h"
#include "rule/predicate.h"
#include "rule/regex.h"

/* 2026-01-02T03:04:05Z */
#define SOME_TIME (1767323045 * NS_PER_S)

struct family {
    struct process self, parent, elder;
    struct event event;
};

/* A shell of bash's, under php-fpm, under nginx; it ended. */
static void family_init(struct family *family)
{
    *family = (struct family){
        .self = {.comm = TEXT("bash"),
                 .exe = TEXT("/usr/bin/bash"),
                 .uid = 33,
                 .argv = {"bash\0-c\0echo\nBoo", 16},
                 .cmdline = TEXT("bash -c echo\nBoo"),
                 .cmdline_length = 20480,
                 .exe_setuid = true,
                 .cap_effective = 1 << 13 | 1 << 21, /* net_raw, sys_admin */
                 .cap_permitted = (1LL << 41) - 1,
                 .cap_ambient = 0,
                 .parent = &family->parent},
        .parent = {.comm = TEXT("php-fpm8.2"), .uid = 33, .parent = &family->elder},
        .elder = {.comm = TEXT("nginx"), .exe = TEXT("/usr/sbin/nginx"), .uid = 0},
        .event = {.type = EVENT_EXIT,
                  .time = SOME_TIME,
                  .duration = 1500 * NS_PER_MS,
                  .retval = -2,
                  .process = &family->self},
    };
    HAS(&family->self, COMM);
    HAS(&family->self, EXE);
    HAS(&family->self, UID);
    HAS(&family->self, ARGV);
    HAS(&family->self, CMDLINE);
    HAS(&family->self, CMDLINE_LENGTH);
    HAS(&family->self, EXE_SETUID);
    HAS(&family->self, CAP_EFFECTIVE);
    HAS(&family->self, CAP_PERMITTED);
    HAS(&family->self, CAP_AMBIENT);
    HAS(&family->parent, COMM);
    HAS(&family->parent, UID);
    HAS(&family->elder, COMM);
    HAS(&family->elder, EXE);
    HAS(&family->elder, UID);
    HAS(&family->event, TIME);
    HAS(&family->event, DURATION);
    HAS(&family->event, RETVAL);
}

static struct load load_selection(const char *selection)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    buffer_printf(&text, "rules: [{id: r, on: exit, match: {%s}, tests: []}]", selection);
    return load_text(buffer_string(&text));
}

static void ask(const struct question *question)
{
    CLEANUP(load_deinit) struct load load = load_selection(question->selection);
    struct family family;

    family_init(&family);
    assert_answer(&load, &family.event, question);
}

static void test_text(void **state)
{
    static const struct question questions[] = {
        {"comm: bash", "yes"},
        {"comm: bas", "no"},
        {"comm: ash", "no"},
        {"comm: Bash", "no"},
        {"comm: (ba|z)?sh", "yes"},
        {"comm: ba|sh", "no"},
        {"comm: b|bash", "yes"},
        {"comm: .*", "yes"},
        {"comm: ''", "no"},
        {"comm|nocase: BASH", "yes"},
        {"comm|nocase: B.*H", "yes"},
        {"comm|cased: BASH", "no"},
        {"comm|is: bash", "yes"},
        {"comm|is: b.sh", "no"},
        {"comm|is|nocase: bAsH", "yes"},
        {"exe|contains: /bin/", "yes"},
        {"exe|contains: /BIN/", "no"},
        {"exe|contains|nocase: /BIN/", "yes"},
        {"exe|contains|nocase: /B.N/", "no"},
        {"exe|startswith: /usr", "yes"},
        {"exe|startswith: usr", "no"},
        {"exe|startswith|nocase: /USR", "yes"},
        {"exe|endswith: /bash", "yes"},
        {"exe|endswith: /bas", "no"},
        {"exe|endswith|nocase: BASH", "yes"},
        {"exe|startswith: /usr/bin/bash/and/more", "no"},
        {"exe|glob: /usr/*/bash", "yes"},
        {"exe|glob: /usr/*/b", "no"},
        {"exe|glob|nocase: /USR/*", "yes"},
        {"exe|re: bin.b", "yes"},
        {"exe|re: ^bin", "no"},
        {"exe|re: BIN", "no"},
        {"exe|re|i: BIN", "yes"},
        {"exe|re|nocase: BIN", "yes"},
        {"cmdline|re: ^Boo", "no"},
        {"cmdline|re|m: ^Boo", "yes"},
        {"cmdline|re: echo.Boo", "no"},
        {"cmdline|re|s: echo.Boo", "yes"},
        {"cmdline|re|i|s: ECHO.boo", "yes"},
        {"cmdline: bash.*Boo", "yes"}, /* `.` takes the newline when the whole must match */
        {"comm|exists: true", "yes"},
        {"comm|exists: false", "no"},
        {"comm|lt: 5", "bad-modifier"},
        {"comm|gte: 5", "bad-modifier"},
        {"comm|i: x", "conflicting-modifiers"},
        {"comm|is|contains: x", "conflicting-modifiers"},
        {"comm|nocase|cased: x", "conflicting-modifiers"},
        {"comm|exists|nocase: true", "conflicting-modifiers"},
        {"comm|exists: perhaps", "bad-value"},
        {"comm: ", "bad-value"},
        {"comm|re: '('", "bad-regex"},
        {"comm: '*'", "bad-regex"},
        {"comm: '(*UTF)a'", "bad-regex"},
        {"comm: 'a(*ACCEPT)b'", "bad-regex"},
        {"comm: 'a(*SKIP)b|a'", "bad-regex"},
        {"comm|re: 'a(*:mark)'", "bad-regex"},
        {"comm: '\\\\(*F)'", "bad-regex"},
        {"comm: '\\c\\(*F)'", "bad-regex"},
        {"comm: '\\Qx\\\\E(*F)'", "bad-regex"},
        {"comm: '\\(*bash'", "yes"},
        {"comm|glob: '(*'", "no"},
        {"comm|is: '(*ACCEPT)'", "no"},
    };

    ASK_ALL(questions);
}

static void test_missing(void **state)
{
    static const struct question questions[] = {
        {"tty: .*", "no"},
        {"tty|is: ''", "no"},
        {"tty|contains: ''", "no"},
        {"tty|exists: true", "no"},
        {"tty|exists: false", "yes"},
        {"euid: 0", "no"},
        {"euid|gte: 0", "no"},
        {"exe.memfd: false", "no"},
        {"start_time|gt: 1970-01-01T00:00:00Z", "no"},
        {"'ancestor[3].comm': .*", "no"},
        {"parent.exe|exists: false", "yes"},
    };

    ASK_ALL(questions);
}

static void test_list(void **state)
{
    static const struct question questions[] = {
        {"argv: -c", "yes"},
        {"argv: bash -c", "no"},
        {"argv: -.", "yes"},
        {"argv: echo.Boo", "yes"},
        {"argv|is: -c", "yes"},
        {"argv|is|nocase: -C", "yes"},
        {"argv|contains: cho", "yes"},
        {"argv|contains: 'h -'", "no"},
        {"argv|startswith: ech", "yes"},
        {"argv|endswith: oo", "yes"},
        {"argv|glob: 'e*'", "yes"},
        {"argv|re|i: boo$", "yes"},
        {"argv|contains|all: [-c, ash]", "yes"},
        {"argv|contains|all: [-c, dash]", "no"},
        {"argv: [nope, -c]", "yes"},
        {"argv|exists: true", "yes"},
        {"argv|gt: 1", "bad-modifier"},
    };

    ASK_ALL(questions);
}

static void test_flags(void **state)
{
    static const struct question questions[] = {
        {"cap.effective: cap_net_raw", "yes"},
        {"cap.effective: cap_sys_admin", "yes"},
        {"cap.effective: cap_kill", "no"},
        {"cap.effective: [cap_kill, cap_net_raw]", "yes"},
        {"cap.effective: cap_(kill|net_raw)", "yes"},
        {"cap.effective|contains: net", "yes"},
        {"cap.effective|startswith: net", "no"},
        {"cap.effective|endswith: _admin", "yes"},
        {"cap.effective|glob: 'cap_net_*'", "yes"},
        {"cap.effective|re: ^cap_s", "yes"},
        {"cap.effective|is|nocase: CAP_NET_RAW", "yes"},
        {"cap.effective|all: [cap_net_raw, cap_sys_admin]", "yes"},
        {"cap.effective|all: [cap_net_raw, cap_kill]", "no"},
        {"cap.effective: all", "no"},
        {"cap.permitted: all", "yes"},
        {"cap.permitted: cap_bpf", "yes"},
        {"cap.permitted|contains: cap_4", "no"},
        {"cap.ambient|exists: true", "yes"},
        {"cap.ambient: .*", "no"},
        {"cap.inheritable: .*", "no"},
        {"cap.effective: net_raw", "bad-value"},
        {"cap.effective|is: CAP_NET_RAW", "bad-value"},
        {"cap.permitted: -cap_kill", "bad-value"},
        {"securebits: all", "bad-value"},
        {"cap.effective|gt: 1", "bad-modifier"},
        {"cap.effective: ", "bad-value"},
    };

    ASK_ALL(questions);
}

static void test_number(void **state)
{
    static const struct question questions[] = {
        {"uid: 33", "yes"},
        {"uid: 0x21", "yes"},
        {"uid: '33'", "yes"},
        {"uid: 3", "no"},
        {"uid: [0, 33]", "yes"},
        {"uid: 33|48", "yes"},
        {"uid: '3.'", "yes"},
        {"uid: '4[0-9]'", "no"},
        {"uid: 3\\d", "yes"},
        {"uid: 3.", "bad-value"},
        {"uid: 1.5", "bad-value"},
        {"uid: [33, .5]", "bad-value"},
        {"uid: -1.5e+3", "bad-value"},
        {"uid: 1e3", "bad-value"},
        {"uid: 99999999999999999999", "bad-value"},
        {"uid: '1.5'", "no"},
        {"uid|is: 33", "yes"},
        {"uid|is: 33|48", "bad-value"},
        {"uid|startswith: 3", "yes"},
        {"uid|contains: 4", "no"},
        {"uid|endswith: 3", "yes"},
        {"uid|glob: '3*'", "yes"},
        {"uid|re: 3$", "yes"},
        {"uid|lt: 33", "no"},
        {"uid|lte: 33", "yes"},
        {"uid|gt: 32", "yes"},
        {"uid|gte: 34", "no"},
        {"retval: -2", "yes"},
        {"retval|lt: 0", "yes"},
        {"cmdline.length|gte: 20KiB", "yes"},
        {"cmdline.length|gt: 20KiB", "no"},
        {"cmdline.length|lt: 1MiB", "yes"},
        {"uid|exists: true", "yes"},
        {"uid|nocase: 3", "bad-modifier"},
        {"uid: root", "bad-value"},
        {"uid|lt: few", "bad-value"},
        {"uid: yes", "bad-value"},
    };

    ASK_ALL(questions);
}

static void test_bool(void **state)
{
    static const struct question questions[] = {
        {"exe.setuid: true", "yes"},          {"exe.setuid: false", "no"},
        {"exe.setuid|is: true", "yes"},       {"exe.setuid: [true, false]", "yes"},
        {"exe.setuid|exists: true", "yes"},   {"exe.setuid: 1", "bad-value"},
        {"exe.setuid: 'true'", "bad-value"},  {"exe.setuid|contains: t", "bad-modifier"},
        {"exe.setuid|re: t", "bad-modifier"}, {"exe.setuid|lt: 1", "bad-modifier"},
    };

    ASK_ALL(questions);
}

static void test_time(void **state)
{
    static const struct question questions[] = {
        {"time: 2026-01-02T03:04:05Z", "yes"},
        {"time: 2026-01-02T04:04:05+01:00", "no"}, /* a regex, for its '+' */
        {"time|is: 2026-01-02T04:04:05+01:00", "yes"},
        {"time: 2026-01-02T03.*", "yes"},
        {"time|startswith: '2026-01-02'", "yes"},
        {"time|contains: T04", "no"},
        {"time|glob: '*T03:*'", "yes"},
        {"time|re: 'T0[0-5]:'", "yes"},
        {"time|lt: 2026-01-02T03:04:05Z", "no"},
        {"time|lte: 2026-01-02T03:04:05Z", "yes"},
        {"time|gt: 2025-12-31T23:59:59Z", "yes"},
        {"time|gte: 2026-01-02T03:04:05.000000001Z", "no"},
        {"time|exists: true", "yes"},
        {"time: noon", "bad-value"},
        {"time|gt: noon", "bad-value"},
    };

    ASK_ALL(questions);
}

static void test_duration(void **state)
{
    static const struct question questions[] = {
        {"duration: 1500ms", "yes"},
        {"duration|is: 1s500ms", "yes"},
        {"duration|lt: 2s", "yes"},
        {"duration|lte: 1s", "no"},
        {"duration|gt: 1s", "yes"},
        {"duration|gte: 5m", "no"},
        {"duration|gt: 0", "yes"},
        {"duration|exists: false", "no"},
        {"duration: 5", "bad-value"},
        {"duration: 1.*", "bad-value"},
        {"duration|contains: 1", "bad-modifier"},
        {"duration|re: 1", "bad-modifier"},
    };

    ASK_ALL(questions);
}

static void test_ancestors(void **state)
{
    static const struct question questions[] = {
        {"parent: php-fpm.*", "yes"},
        {"parent.comm: nginx", "no"},
        {"ancestor: nginx", "yes"},
        {"ancestor.comm: php-fpm.*", "yes"},
        {"ancestor.comm: bash", "no"}, /* a process is not its own ancestor */
        {"'ancestor[1].comm': php-fpm.*", "yes"},
        {"'ancestor[2].comm': nginx", "yes"},
        {"'ancestor[2].exe|endswith': /nginx", "yes"},
        {"ancestor.exe|exists: true", "yes"},
        {"ancestor.exe|exists: false", "no"},
        {"ancestor.uid: 0", "yes"},
        {"ancestor.uid|all: [0, 33]", "yes"}, /* one ancestor each */
        {"ancestor.uid|gt: 33", "no"},
        {"ancestor.tty|exists: true", "no"},
        {"ancestor.time|exists: true", "bad-field"},
        {"parent.retval: 0", "bad-field"},
        {"'ancestor[0].comm': x", "bad-field"},
        {"'ancestor[65].comm': x", "bad-field"},
        {"'ancestor[x].comm': x", "unknown-field"},
    };

    ASK_ALL(questions);
}

/* However long the line of processes is: an event has ANCESTOR_MAX of them, live and replayed. */
static void test_ancestors_end(void **state)
{
    CLEANUP(load_deinit) struct load load = load_selection("ancestor: nginx");
    CLEANUP(buffer_deinit) struct buffer hits = {0};
    struct process line[ANCESTOR_MAX + 2] = {0};
    struct family family;

    family_init(&family);
    family.event.process = line;
    for (size_t i = 0; i <= ANCESTOR_MAX; i++)
        line[i].parent = &line[i + 1];
    family.elder.parent = NULL;
    line[ANCESTOR_MAX] = family.elder;
    assert_string_equal(hits_of(load.ruleset, &family.event, &hits), "r ");
    line[ANCESTOR_MAX] = (struct process){.parent = &line[ANCESTOR_MAX + 1]};
    line[ANCESTOR_MAX + 1] = family.elder;
    assert_string_equal(hits_of(load.ruleset, &family.event, &hits), "");
}

static void test_shape(void **state)
{
    static const struct question questions[] = {
        {"comm: bash, uid: 33", "yes"},
        {"comm: bash, uid: 34", "no"},
        {"comm: [sh, bash]", "yes"},
        {"comm: [sh, dash]", "no"},
        {"exe|contains|all: [usr, bin]", "yes"},
        {"exe|contains|all: [usr, sbin]", "no"},
        {"exe|all|contains: [usr, bin]", "yes"},
        {"comm: []", "empty-selection"},
        {"", "empty-selection"},
        {"comm: {a: b}", "wrong-type"},
        {"comm: [[a]]", "wrong-type"},
        {"nonsense: a", "unknown-field"},
        {"comm|nonsense: a", "unknown-modifier"},
        {"comm|: a", "unknown-modifier"},
    };

    ASK_ALL(questions);
}

static void test_bytes(void **state)
{
    static const struct question questions[] = {
        {"exe: .*bash.*", "yes"},      {"exe: '/usr/.+'", "yes"},      {"exe|re: 'b.sh'", "yes"},
        {"exe|glob: '*bash?'", "yes"}, {"exe|nocase: .*BASH.", "yes"},
    };
    CLEANUP(buffer_deinit) struct buffer hits = {0};

    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        CLEANUP(load_deinit) struct load load = load_selection(questions[i].selection);
        struct family family;

        family_init(&family);
        family.self.exe = TEXT("/usr/\xff\xfe/bash\xc3");
        assert_int_equal(load.result, 0);
        if (strcmp(hits_of(load.ruleset, &family.event, &hits), "r ") != 0)
            fail_msg("{%s} is led astray by bytes that are not UTF-8", questions[i].selection);
    }
}

static void test_glob(void **state)
{
    static const struct {
        const char *glob, *subject;
        bool expected;
    } cases[] = {
        {"", "", true},           {"", "a", false},       {"*", "", true},
        {"**", "ab", true},       {"a*c", "abc", true},   {"a*c", "abcd", false},
        {"a?c", "abc", true},     {"a?c", "ac", false},   {"*a*b", "xaxab", true},
        {"\\*", "*", true},       {"\\*", "a", false},    {"a\\", "a\\", true},
        {"\\\\", "\\", true},     {"*.so", "x.so", true}, {"*.so", "x.so.1", false},
        {"a*a*b", "aaaa", false}, {"?", "", false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (glob_match(text_from(cases[i].glob), text_from(cases[i].subject), false) !=
            cases[i].expected)
            fail_msg("glob '%s' on '%s'", cases[i].glob, cases[i].subject);
    assert_true(glob_match(TEXT("A?c*"), TEXT("abCd"), true));
}

/* `?` is a character, not a byte of it; a byte that is none of UTF-8 counts as one. */
static void test_glob_characters(void **state)
{
    static const struct {
        const char *glob, *subject;
        bool expected;
    } cases[] = {
        {"a?b", "a\u00e9b", true},
        {"a?b", "a\u65e5b", true},
        {"a?b", "a\u00e9\u00e9b", false},
        {"a??b", "a\u00e9b", false},
        {"*??b", "\u65e5b", false},
        {"*?b", "\u65e5b", true},
        {"a?-", "a\xff-", true},
        {"a??x", "a\xe6\x97x", true},
        {"*\u00e9?", "\u00e9\u00e9x", true},
        {"*?", "\u00e9", true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (glob_match(text_from(cases[i].glob), text_from(cases[i].subject), false) !=
            cases[i].expected)
            fail_msg("glob '%s' on '%s'", cases[i].glob, cases[i].subject);
}

/* Same questions are one predicate, different ones are not. */
static void test_sharing(void **state)
{
    CLEANUP(load_deinit)
    struct load load =
        load_good("rules:\n"
                  "  - {id: a, match: {comm: sh, uid: [0, 1]}, tests: []}\n"
                  "  - {id: b, match: {comm|is: sh, uid: 0, exe: x}, tests: []}\n"
                  "  - {id: c, match: {comm|is|nocase: sh, parent: sh, uid|gte: 0}, tests: []}\n");

    /* comm is sh, uid 0, uid 1, exe is x, comm is sh without case, parent is sh, uid >= 0 */
    assert_int_equal(load.ruleset->predicate_count, 7);
    for (size_t i = 0; i < load.ruleset->predicate_count; i++)
        assert_int_equal(load.ruleset->predicates[i]->index, i);
}

static void test_limit(void **state)
{
    CLEANUP(load_deinit)
    struct load load =
        load_good("rules: [{id: slow, match: {exe: '(a+)+(b+)+(a+|b)+[cd]'}, tests: []},\n"
                  "        {id: fine, match: {exe|startswith: aaa}, tests: []}]");
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    char value[3001];
    struct process process = {.exe = {value, sizeof value}};
    struct event event = {.type = EVENT_EXEC, .process = &process};
    const struct rule *const *hits;

    HAS(&process, EXE);
    memset(value, 'a', sizeof value);
    value[1000] = 'b';
    assert_int_equal(matcher_new(load.ruleset, &matcher), 0);
    assert_int_equal(matcher_match_plainly(matcher, &event, &hits), 1);
    assert_string_equal(hits[0]->id.ptr, "fine");
    assert_int_equal(matcher_counters(matcher).limits, 1);
    assert_int_equal(matcher_counters(matcher).events, 1);
    assert_int_equal(matcher_counters(matcher).hits, 1);
}

static void test_regex_failure(void **state)
{
    struct regex_failure failure;
    struct regex *regex = NULL;

    assert_int_equal(regex_new(TEXT("ab)c"), REGEX_WHOLE, &regex, &failure), -EINVAL);
    assert_int_equal(failure.offset, 2);
    assert_true(strlen(failure.reason) > 5);
    assert_null(regex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_bool),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_duration),
        cmocka_unit_test(test_ancestors),
        cmocka_unit_test(test_ancestors_end),
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_glob_characters),
        cmocka_unit_test(test_glob),
        cmocka_unit_test(test_sharing),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_regex_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
