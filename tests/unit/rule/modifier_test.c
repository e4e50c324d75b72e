/* The modifiers that say more than a comparison: networks, encodings, placeholders, other fields.
 */
#include "rule_fixture.h"

#include "rule/expansion.h"
#include "rule/predicate.h"

struct family {
    struct process self, parent, elder;
    struct event event;
};

static void family_init(struct family *family)
{
    *family = (struct family){
        .self = {.comm = TEXT("curl"),
                 .exe = TEXT("/usr/bin/curl"),
                 .filename = TEXT("/USR/bin/curl"),
                 .user = TEXT("ann"),
                 .cwd = TEXT("/home/ann"),
                 .uid = 1000,
                 .euid = 0,
                 .argv = {"curl\000fe80::1\00010.1.2.3\000-s\000/tmp\000YWIvYmluL2Jhc2ggLWk=", 51},
                 .cmdline = TEXT("curl fe80::1 10.1.2.3 -s /tmp YWIvYmluL2Jhc2ggLWk="),
                 .cap_effective = 1 << 13, /* net_raw */
                 .exe_setuid = true,
                 .parent = &family->parent},
        .parent = {.comm = TEXT("bash"),
                   .exe = TEXT("/usr/bin/bash"),
                   .uid = 1000,
                   .parent = &family->elder},
        .elder = {.comm = TEXT("curl"), .uid = 0},
        .event = {.type = EVENT_EXEC, .process = &family->self},
    };
    HAS(&family->self, COMM);
    HAS(&family->self, EXE);
    HAS(&family->self, FILENAME);
    HAS(&family->self, USER);
    HAS(&family->self, CWD);
    HAS(&family->self, UID);
    HAS(&family->self, EUID);
    HAS(&family->self, ARGV);
    HAS(&family->self, CMDLINE);
    HAS(&family->self, CAP_EFFECTIVE);
    HAS(&family->self, EXE_SETUID);
    HAS(&family->parent, COMM);
    HAS(&family->parent, EXE);
    HAS(&family->parent, UID);
    HAS(&family->elder, COMM);
    HAS(&family->elder, UID);
}

/* Lists that a question does not use are only warned of. */
#define LISTS                                                                              \
    "lists: {hosts: [10.1.2.3, 192.0.2.1], words: [ann, $more], more: ['b.b', eve], "      \
    "fields: [comm, exe], tens: [1, 2], nets: [192.0.2.0/24, 10.0.0.0/8], shells: [a|b], " \
    "percent: ['%%words%%']}\n"

static void ask(const struct question *question)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};
    struct family family;

    buffer_printf(&text, LISTS "rules: [{id: r, match: {%s}, tests: []}]", question->selection);
    CLEANUP(load_deinit) struct load load = load_text(buffer_string(&text));

    family_init(&family);
    assert_answer(&load, &family.event, question);
}

static void test_cidr(void **state)
{
    static const struct question questions[] = {
        {"argv|cidr: 10.0.0.0/8", "yes"},
        {"argv|cidr: 11.0.0.0/8", "no"},
        {"argv|cidr: fe80::/10", "yes"},
        {"argv|cidr: [11.0.0.0/8, 10.1.0.0/16]", "yes"},
        {"argv|cidr|all: [fe80::/10, 10.1.0.0/16]", "yes"},
        {"argv|cidr|all: [fe80::/10, 10.2.0.0/16]", "no"},
        {"argv|cidr: $nets", "yes"},
        {"cmdline|cidr: 0.0.0.0/0", "no"},
        {"argv|cidr: 10.0.0.0/99", "bad-value"},
        {"argv|cidr: 10.0.0.1/8", "bad-value"},
        {"argv|cidr: example.org", "bad-value"},
        {"argv|cidr: ''", "bad-value"},
        {"argv|cidr: ", "bad-value"},
        {"uid|cidr: 10.0.0.0/8", "bad-modifier"},
        {"cap.effective|cidr: 10.0.0.0/8", "bad-modifier"},
        {"argv|cidr|contains: 10.0.0.0/8", "conflicting-modifiers"},
        {"argv|cidr|nocase: 10.0.0.0/8", "conflicting-modifiers"},
    };

    ASK_ALL(questions);
}

static void test_encodings(void **state)
{
    static const struct question questions[] = {
        {"cmdline|base64offset|contains: /bin/bash", "yes"},
        {"cmdline|contains|base64offset: /bin/bash", "yes"},
        {"cmdline|base64offset|contains: /bin/zsh", "no"},
        {"cmdline|base64offset|contains|all: [/bin, bash]", "yes"},
        {"cmdline|base64offset|contains|all: [/bin, zsh]", "no"},
        {"argv|base64: 'ab/bin/bash -i'", "yes"},
        {"argv|base64: 'ab/bin/bash'", "no"},
        {"cmdline|base64|endswith: 'ab/bin/bash -i'", "yes"},
        {"cmdline|base64|startswith: 'ab/bin/bash -i'", "no"},
        {"cmdline|base64|contains|nocase: 'ab/bin/bash -i'", "yes"},
        {"argv|windash: /s", "yes"},
        {"argv|windash: -tmp", "yes"},
        {"argv|windash|is: -S", "no"},
        {"argv|windash|is|nocase: -S", "yes"},
        {"cmdline|windash|contains|all: [' /s', ' -tmp']", "yes"},
        {"cmdline|windash|contains|all: [' /s', ' -x']", "no"},
        {"argv|windash: [-x, /s]", "yes"},
        {"cmdline|wide|contains: s", "no"},
        {"cmdline|utf16le|base64|contains: s", "no"},
        {"cmdline|utf16be|utf16|contains: s", "no"},
        {"cmdline|windash|contains: '-a -b -c -d -e -f'", "too-many-values"},
        {"cmdline|wide|base64|wide|base64|base64|contains: a", "conflicting-modifiers"},
        {"cmdline|base64|re: a", "conflicting-modifiers"},
        {"cmdline|windash|glob: a", "conflicting-modifiers"},
        {"cmdline|base64|exists: true", "conflicting-modifiers"},
        {"cmdline|base64|cidr: 10.0.0.0/8", "conflicting-modifiers"},
        {"uid|base64: 1", "bad-modifier"},
        {"cap.effective|windash: a", "bad-modifier"},
        {"cmdline|base64: ", "bad-value"},
        {"cmdline|base64offset|contains: ''", "bad-value"},
        {"cmdline|base64offset|contains: a", "yes"},
    };

    ASK_ALL(questions);
}

static void test_expand(void **state)
{
    static const struct question questions[] = {
        {"cmdline|expand|contains: ' %hosts% '", "yes"},
        {"cmdline|expand|contains: ' %hosts%x'", "no"},
        {"cmdline|expand|contains|all: ['%hosts% ', ' %hosts%']", "yes"},
        {"cwd|expand: /home/%words%", "yes"},
        {"cwd|expand: /home/%more%", "no"},
        {"cwd|expand: /(home|root)/%words%", "yes"},
        {"cwd|expand|is: /home/%words%", "yes"},
        {"cwd|expand|re: '^/h.*/%words%$'", "yes"},
        {"cwd|expand|glob: '/h*/%words%'", "yes"},
        {"comm|expand: c%shells%url", "no"},
        {"comm|expand: '%shells%|curl'", "yes"},
        {"user|expand: '%words%'", "yes"},
        {"user|expand|is|nocase: '%words%'", "yes"},
        {"uid|expand: '%tens%000'", "yes"},
        {"uid|expand: '%tens%'", "no"},
        {"cmdline|expand|contains: '%tens%.%tens%.3'", "yes"},
        {"cmdline|expand|contains: '%tens%.%tens%.4'", "no"},
        {"cmdline|expand|contains: '%tens%0.1.%tens%.3'", "yes"},
        {"cmdline|expand|contains: '%percent%'", "no"},
        {"cmdline|expand|windash|contains: ' /s %shells%'", "no"},
        {"argv|expand|cidr: '%nets%'", "yes"},
        {"cwd|expand|is: /home\\%/%words%", "no"},
        {"cwd|expand|is: '/home/ann'", "bad-value"},
        {"cwd|expand|is: '/home/%words'", "bad-value"},
        {"cwd|expand|is: '/home/%wordz%'", "unknown-list"},
        {"comm|expand: '%shells%('", "bad-regex"},
        {"comm|expand|exists: true", "conflicting-modifiers"},
        {"comm|expand|fieldref: '%fields%'", "conflicting-modifiers"},
        {"exe.setuid|expand: '%words%'", "bad-modifier"},
    };

    ASK_ALL(questions);
}

static void test_percent(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good("lists: {words: [ann]}\n"
                                 "rules:\n"
                                 "  - id: r\n"
                                 "    match: {cmdline|expand|is: 'a\\%b\\c%words%\\%words\\%'}\n"
                                 "    tests: []\n");

    assert_int_equal(load.ruleset->predicate_count, 1);
    assert_true(text_is(load.ruleset->predicates[0]->text, "a%b\\cann%words%"));
}

/* Only what is looked for within a value can be too little to be looked for. */
static void test_empty(void **state)
{
    static const struct {
        const char *key;
        bool warned;
    } cases[] = {
        {"exe|contains", true}, {"exe|startswith", true}, {"exe|endswith", true},
        {"exe|re", true},       {"exe|is", false},        {"exe|glob", false},
        {"exe", false},         {"argv|cidr", false},     {"exe|fieldref|contains", false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(buffer_deinit) struct buffer text = {0};

        buffer_printf(&text, "rules: [{id: r, match: {%s: ''}, tests: []}]", cases[i].key);
        CLEANUP(load_deinit) struct load load = load_text(buffer_string(&text));

        if ((find_diag(&load, "empty-value") != NULL) != cases[i].warned)
            fail_msg("%s", cases[i].key);
    }
}

/* As many lists as a value may have filled in, and one more. */
static void test_placeholder_bound(void **state)
{
    for (unsigned count = PLACEHOLDERS_MAX; count <= PLACEHOLDERS_MAX + 1; count++) {
        CLEANUP(buffer_deinit) struct buffer text = {0};

        buffer_put_string(&text, "lists: {a: [x]}\n"
                                 "rules: [{id: r, tests: [], match: {cmdline|expand|contains: '");
        for (unsigned i = 0; i < count; i++)
            buffer_put_string(&text, "%a%");
        buffer_put_string(&text, "'}}]");
        CLEANUP(load_deinit) struct load load = load_text(buffer_string(&text));

        assert_int_equal(find_diag(&load, "too-many-values") != NULL, count > PLACEHOLDERS_MAX);
    }
}

/* As many texts as a value may become, and one more. */
static void test_expand_bound(void **state)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    for (int names = 4; names <= 5; names++) {
        buffer_clear(&text);
        buffer_put_string(&text, "lists: {d: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}\n"
                                 "rules: [{id: r, tests: [], match: {cmdline|expand|is: '");
        for (int i = 0; i < names; i++)
            buffer_put_string(&text, "%d%");
        buffer_put_string(&text, "'}}]\n");
        CLEANUP(load_deinit) struct load load = load_text(buffer_string(&text));

        assert_int_equal(find_diag(&load, "too-many-values") != NULL, names == 5);
        if (names == 4)
            assert_int_equal(load.ruleset->predicate_count, 10000);
    }
}

static void test_fieldref(void **state)
{
    static const struct question questions[] = {
        {"exe|fieldref: exe", "yes"},
        {"exe|fieldref: filename", "no"},
        {"exe|fieldref|nocase: filename", "yes"},
        {"exe|fieldref: parent.exe", "no"},
        {"exe|fieldref: tty", "no"},
        {"tty|fieldref: exe", "no"},
        {"exe|fieldref|endswith: comm", "yes"},
        {"exe|endswith|fieldref: comm", "yes"},
        {"cmdline|fieldref|startswith: comm", "yes"},
        {"cmdline|fieldref|startswith: parent", "no"},
        {"cwd|fieldref|contains: user", "yes"},
        {"filename|fieldref|contains: comm", "yes"},
        {"filename|fieldref|contains: exe", "no"},
        {"filename|fieldref|contains|nocase: exe", "yes"},
        {"uid|fieldref: parent.uid", "yes"},
        {"uid|fieldref: euid", "no"},
        {"uid|fieldref|startswith: euid", "no"},
        {"argv|fieldref: comm", "yes"},
        {"argv|fieldref: exe", "no"},
        {"ancestor.comm|fieldref: comm", "yes"},
        {"ancestor.comm|fieldref: exe", "no"},
        {"comm|fieldref: 'ancestor[2].comm'", "yes"},
        {"exe|fieldref: [filename, exe]", "yes"},
        {"exe|fieldref|all: [filename, exe]", "no"},
        {"exe|fieldref: $fields", "yes"},
        {"exe|fieldref: exee", "unknown-field"},
        {"exe|fieldref: argv", "bad-field"},
        {"exe|fieldref: cap.effective", "bad-field"},
        {"exe|fieldref: ancestor.exe", "bad-field"},
        {"exe|fieldref: ", "bad-value"},
        {"exe|fieldref|re: exe", "conflicting-modifiers"},
        {"exe|fieldref|exists: exe", "conflicting-modifiers"},
        {"exe|fieldref|base64: exe", "conflicting-modifiers"},
        {"uid|fieldref|nocase: euid", "bad-modifier"},
    };

    ASK_ALL(questions);
}

/* A missing field makes the comparison false, and so what it negates true. */
static void test_fieldref_negated(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good("rules:\n"
                                 "  - {id: a, match: {comm: curl}, unless: {tty|fieldref: comm}, "
                                 "tests: []}\n"
                                 "  - {id: b, match: {comm: curl}, unless: {exe|fieldref|endswith: "
                                 "comm}, tests: []}\n");
    CLEANUP(buffer_deinit) struct buffer hits = {0};
    struct family family;

    family_init(&family);
    assert_string_equal(hits_of(load.ruleset, &family.event, &hits), "a ");
}

/* Comparisons with different fields are different questions; texts are told apart to their last
 * byte. */
static void test_sharing(void **state)
{
    CLEANUP(load_deinit)
    struct load load =
        load_good("rules:\n"
                  "  - {id: a, match: {comm|fieldref: [user, cwd]}, tests: []}\n"
                  "  - {id: b, match: {comm|fieldref: user, uid: 0}, tests: []}\n"
                  "  - {id: c, match: {cmdline|wide|contains: [ab, ac]}, tests: []}\n");

    /* comm is user, comm is cwd, uid 0, two wide texts */
    assert_int_equal(load.ruleset->predicate_count, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cidr),
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_expand),
        cmocka_unit_test(test_percent),
        cmocka_unit_test(test_placeholder_bound),
        cmocka_unit_test(test_expand_bound),
        cmocka_unit_test(test_fieldref),
        cmocka_unit_test(test_fieldref_negated),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_sharing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
