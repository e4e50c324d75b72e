#include "rule_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#define RULE(id) "rules: [{id: " id ", match: {uid: 33}, tests: []}]"

/* A folder of files, and what is loaded from it. */
struct folder {
    char path[64];
    char name[128]; /* of what was asked for last */
    struct load load;
};

static int set_up(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);

    strcpy(folder->path, "/tmp/picket-rules-XXXXXX");
    *state = folder;
    return mkdtemp(folder->path) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *ftw)
{
    return remove(path);
}

static int tear_down(void **state)
{
    struct folder *folder = *state;
    int r = nftw(folder->path, remove_one, 64, FTW_DEPTH | FTW_PHYS);

    load_deinit(&folder->load);
    free(folder);
    return r;
}

/* The path of NAME in the folder. */
static const char *in(struct folder *folder, const char *name)
{
    snprintf(folder->name, sizeof folder->name, "%s/%s", folder->path, name);
    return folder->name;
}

static void write_file(struct folder *folder, const char *name, const char *content)
{
    FILE *file = fopen(in(folder, name), "we");

    assert_non_null(file);
    fputs(content, file);
    assert_int_equal(fclose(file), 0);
}

static void make_folder(struct folder *folder, const char *name)
{
    assert_int_equal(mkdir(in(folder, name), 0755), 0);
}

static void link_to(struct folder *folder, const char *target, const char *name)
{
    assert_int_equal(symlink(target, in(folder, name)), 0);
}

static int load_path(struct folder *folder, const char *path)
{
    struct rule_source source = {.path = path};
    struct load *load = &folder->load;

    load_deinit(load);
    *load = (struct load){0};
    load->result = ruleset_load(&source, 1, &load->diags, &load->ruleset);
    return load->result;
}

/* The folder loads without a word, as these rules in that order. */
static void assert_rules(struct folder *folder, const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer ids = {0};

    if (load_path(folder, folder->path) < 0 || folder->load.diags.count)
        print_diags(&folder->load);
    assert_int_equal(folder->load.result, 0);
    assert_int_equal(folder->load.diags.count, 0);
    for (size_t i = 0; i < folder->load.ruleset->count; i++)
        buffer_printf(&ids, "%s ", folder->load.ruleset->rules[i]->id.ptr);
    assert_string_equal(buffer_string(&ids), expected);
}

/* Loading PATH fails over the file NAME of the folder alone. */
static void assert_unreadable(struct folder *folder, const char *path, const char *name,
                              const char *message)
{
    assert_int_equal(load_path(folder, path), -EINVAL);
    const struct diag *diag = diag_of(&folder->load, "unreadable-file");

    assert_int_equal(folder->load.diags.count, 1);
    assert_string_equal(diag->mark.file, in(folder, name));
    assert_int_equal(diag->mark.line, 0);
    assert_string_equal(diag->message, message);
}

static void a_folder_is_read_in_bytewise_order(void **state)
{
    struct folder *folder = *state;

    make_folder(folder, "b");
    make_folder(folder, "b/deep.yaml");
    write_file(folder, "c.yml", RULE("four"));
    write_file(folder, "b/z.yaml", "rules: [{id: three, match: {uid: 1}, tests: []}]");
    write_file(folder, "b/deep.yaml/a.yaml", "rules: [{id: two, match: {uid: 2}, tests: []}]");
    write_file(folder, "b.yaml", "rules: [{id: one, match: {uid: 3}, tests: []}]");
    assert_rules(folder, "one two three four "); /* '.' sorts before '/' */
}

static void what_is_no_rule_file_is_passed_over(void **state)
{
    struct folder *folder = *state;

    make_folder(folder, ".git");
    write_file(folder, "a.yaml", RULE("a"));
    write_file(folder, "notes.txt", "not: [rules");
    write_file(folder, "yaml", "not: [rules");
    write_file(folder, ".swap.yaml", "not: [rules");
    write_file(folder, ".git/x.yaml", "not: [rules");
    link_to(folder, "gone", "dangling");
    /* To open it would be to wait for a writer. */
    assert_int_equal(mkfifo(in(folder, "pipe.yaml"), 0644), 0);
    assert_rules(folder, "a ");
}

static void links_lead_to_files_and_folders(void **state)
{
    struct folder *folder = *state;

    make_folder(folder, ".kept");
    write_file(folder, ".kept/a.yaml", RULE("a"));
    write_file(folder, ".one", "rules: [{id: z, match: {uid: 2}, tests: []}]");
    link_to(folder, ".kept", "linked");
    link_to(folder, ".one", "z.yaml");
    assert_rules(folder, "a z ");
}

static void a_file_that_is_named_may_be_called_anything(void **state)
{
    struct folder *folder = *state;

    write_file(folder, ".rules.txt", RULE("a"));
    assert_int_equal(load_path(folder, in(folder, ".rules.txt")), 0);
    assert_int_equal(folder->load.ruleset->count, 1);
    assert_string_equal(folder->load.ruleset->rules[0]->mark.file, in(folder, ".rules.txt"));
}

static void a_slash_behind_the_folder_changes_no_name(void **state)
{
    struct folder *folder = *state;

    write_file(folder, "a.yaml", RULE("a"));
    assert_int_equal(load_path(folder, in(folder, "")), 0);
    assert_string_equal(folder->load.ruleset->rules[0]->mark.file, in(folder, "a.yaml"));
}

static void what_is_not_there_is_diagnosed(void **state)
{
    struct folder *folder = *state;

    assert_unreadable(folder, in(folder, "none.yaml"), "none.yaml",
                      "cannot be read: No such file or directory");
    write_file(folder, "a.yaml", RULE("a"));
    link_to(folder, "gone", "dangling.yaml");
    assert_unreadable(folder, folder->path, "dangling.yaml",
                      "cannot be read: No such file or directory");
}

static void a_folder_without_rules_is_a_warning(void **state)
{
    struct folder *folder = *state;

    make_folder(folder, "none");
    write_file(folder, "none/notes.txt", "");
    write_file(folder, "a.yaml", RULE("a"));
    CLEANUP(load_deinit) struct load load = {0};
    char *none = strdup(in(folder, "none")), *some = strdup(in(folder, "a.yaml"));
    struct rule_source sources[] = {{.path = none}, {.path = some}};

    load.result = ruleset_load(sources, 2, &load.diags, &load.ruleset);
    assert_int_equal(load.result, 0);
    assert_diag(&load, "no-rules", 0, 0);
    assert_int_equal(load.diags.warnings, 1);
    free(none);
    free(some);
}

static void an_empty_folder_alone_is_an_error(void **state)
{
    struct folder *folder = *state;

    assert_int_equal(load_path(folder, folder->path), -EINVAL);
    assert_int_equal(folder->load.diags.errors, 1);
    assert_non_null(find_diag(&folder->load, "no-rules"));
}

static void an_empty_file_beside_others_is_fine(void **state)
{
    struct folder *folder = *state;

    write_file(folder, "a.yaml", "");
    write_file(folder, "b.yaml", RULE("b"));
    write_file(folder, "c.yaml", "rules: []\n");
    assert_rules(folder, "b ");
}

static void a_circle_of_links_ends(void **state)
{
    struct folder *folder = *state;

    link_to(folder, ".", "again");
    assert_int_equal(load_path(folder, folder->path), -EINVAL);
    assert_true(text_contains(text_from(diag_of(&folder->load, "unreadable-file")->message),
                              text_from(strerror(ELOOP))));
}

/* Sparse: 32 MiB are the most, and cost no disk. */
static void a_file_far_too_large_is_refused(void **state)
{
    struct folder *folder = *state;

    write_file(folder, "huge.yaml", RULE("a"));
    assert_int_equal(truncate(in(folder, "huge.yaml"), (32 << 20) + 1), 0);
    assert_unreadable(folder, folder->path, "huge.yaml", "cannot be read: File too large");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_folder_is_read_in_bytewise_order),
        TEST(what_is_no_rule_file_is_passed_over),
        TEST(links_lead_to_files_and_folders),
        TEST(a_file_that_is_named_may_be_called_anything),
        TEST(a_slash_behind_the_folder_changes_no_name),
        TEST(what_is_not_there_is_diagnosed),
        TEST(a_folder_without_rules_is_a_warning),
        TEST(an_empty_folder_alone_is_an_error),
        TEST(an_empty_file_beside_others_is_fine),
        TEST(a_circle_of_links_ends),
        TEST(a_file_far_too_large_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
