#include "match_rules.h"

#include <ctype.h>
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>

#include "base/cleanup.h"
#include "base/yaml.h"

static const char *const syllables[] = {"ka",  "lo",  "mi",  "ter", "ox",  "bin", "ser", "net",
                                        "cor", "dra", "fi",  "gu",  "hel", "jan", "py",  "qua",
                                        "run", "sys", "tor", "uni", "vex", "wal", "xen", "zed"};
#define SYLLABLES (sizeof syllables / sizeof *syllables)

/* A word for each number, none of them twice. */
static void put_word(struct buffer *out, size_t number)
{
    uint64_t mixed = (number * UINT64_C(2654435761)) % (UINT64_C(1) << 24);

    for (unsigned i = 0; i < 5; i++, mixed /= SYLLABLES)
        buffer_put_string(out, syllables[mixed % SYLLABLES]);
}

/* FORMAT with a word in place of each '#'. */
static void put_value(struct buffer *out, const char *format, size_t number)
{
    buffer_put_char(out, '\'');
    for (; *format; format++) {
        if (*format == '#')
            put_word(out, number);
        else
            buffer_put_char(out, *format);
    }
    buffer_put_char(out, '\'');
}

struct kind {
    const char *key;
    const char *formats[6];
};

static const struct kind kinds[] = {
    {"cmdline|contains",
     {"curl http://#.example/", "/tmp/.#/run.sh", "--#-token=", "nc -e /bin/# ", "base64 -d <#",
      "/etc/#.conf"}},
    {"exe|is",
     {"/usr/bin/#", "/usr/local/sbin/#", "/opt/#/agent", "/usr/lib/#/helper", "/sbin/#",
      "/home/build/#"}},
    {"cmdline|contains",
     {"chmod 4755 /#", "python3 -c #(", "/dev/tcp/#/", "-o #=", "/var/lib/#/", " #.py"}},
    {"comm", {"#[0-9]+", "(k|z)?#", "#-.*", "#(d|ctl)?", "(#|x#)", "[a-z]{1,3}#"}},
    {"cmdline|contains", {"useradd #", "/root/.ssh/#", "#=$(", "|# ", "scp # ", "--exec #"}},
    {"exe|startswith",
     {"/opt/#/", "/tmp/#/", "/srv/#/bin/", "/var/tmp/#", "/dev/shm/#", "/mnt/#/"}},
    {"cmdline|contains",
     {"insmod #", "crontab /#", "tar cf #.tar", "dd if=/dev/#", "socat #:", "wget -O /#"}},
    {"parent", {"#[0-9]*", "(ba|k)?#", "#(-worker|-master)?", "#.*", "(#|#d)", "#.[0-9]"}},
    {"cmdline|contains",
     {"iptables -# ", "mount /#", "openssl # ", "ssh #@", "kill #", "nohup ./#"}},
    {"exe|endswith", {"/#", "/#.sh", "/bin/#", "/#d", "/.#", "/#-static"}},
    {"cmdline|contains",
     {"export #=", "sed s/#/", "find / -name #", "grep -r #", "xmrig.#", "sudo -u #"}},
    {"comm", {"#.{0,3}", "#(64|32)", "(sh|ba|da)#", "#[_-].*", "#+", "(pre)?#"}},
    {"cmdline|contains", {"docker # ", "kubectl #", "lxc-#", "ps aux | #", "cat /#/", "echo # >"}},
    {"exe|is",
     {"/usr/games/#", "/usr/sbin/#", "/bin/#", "/snap/#/current", "/usr/libexec/#", "/var/#"}},
    {"cmdline|contains",
     {"setfacl #", "rm -rf /#", "ln -s /#", "base32 #", "perl -e #", "ruby -r#"}},
    {"parent", {"#x?", "(cron|at)#", "#[a-f0-9]{4}", "#-[0-9]+", "(#|#-.*)", "#d?"}},
};
#define KINDS (sizeof kinds / sizeof *kinds)

void match_rules_generate(struct buffer *out, size_t count)
{
    buffer_put_string(out, "rules:\n");
    for (size_t i = 0; i < count; i++) {
        const struct kind *kind = &kinds[i % KINDS];
        const char *format = kind->formats[i / KINDS % 6];

        buffer_printf(out, "- {id: generated-%zu, tests: [], match: {'%s': ", i, kind->key);
        put_value(out, format, i);
        buffer_put_string(out, "}}\n");
    }
}

/* The files of a folder being turned into rules. */
struct conversion {
    struct buffer *out;
    unsigned copies, copy;
    int count;
};

static bool has_part(struct text whole, const char *part)
{
    while (whole.ptr)
        if (text_is(text_split(&whole, '|'), part))
            return true;
    return false;
}

static void put_char(struct buffer *out, char c)
{
    if (c == '\'')
        buffer_put_char(out, c);
    buffer_put_char(out, c);
}

static char turn(char c, unsigned by)
{
    char first = islower((unsigned char)c) ? 'a' : 'A';

    return (char)(first + (c - first + (int)by) % 26);
}

/* Words of at least LEAST letters become others; what is shorter, or an escape, stays. */
static void put_changed(struct buffer *out, struct text text, size_t least, unsigned copy)
{
    buffer_put_char(out, '\'');
    for (size_t i = 0, end; i < text.len; i = end) {
        for (end = i; end < text.len && isalpha((unsigned char)text.ptr[end]);)
            end++;
        bool word = end - i >= least && (i == 0 || text.ptr[i - 1] != '\\');

        for (; i < end; i++)
            put_char(out, turn(text.ptr[i], word ? copy : 0));
        if (end < text.len)
            put_char(out, text.ptr[end++]);
    }
    buffer_put_char(out, '\'');
}

/* What is short in a regex is its syntax. */
static void put_values(struct conversion *conversion, struct text key, const struct yaml_node *node)
{
    size_t least = has_part(key, "re") ? 4 : 1;

    buffer_put_char(conversion->out, '[');
    if (node->kind == YAML_SCALAR)
        put_changed(conversion->out, node->text, least, conversion->copy);
    for (size_t i = 0; node->kind == YAML_LIST && i < node->count; i++) {
        buffer_put_string(conversion->out, i ? ", " : "");
        put_changed(conversion->out, node->items[i]->text, least, conversion->copy);
    }
    buffer_put_char(conversion->out, ']');
}

static void put_selection(struct conversion *conversion, const struct yaml_node *node)
{
    struct buffer *out = conversion->out;
    bool map = node->kind == YAML_MAP;

    buffer_put_char(out, map ? '{' : '[');
    for (size_t i = 0; i < node->count; i++) {
        buffer_put_string(out, i ? ", " : "");
        if (map) {
            buffer_printf(out, "'%.*s': ", TEXT_ARG(node->keys[i]->text));
            put_values(conversion, node->keys[i]->text, node->items[i]);
        } else {
            put_selection(conversion, node->items[i]);
        }
    }
    buffer_put_char(out, map ? '}' : ']');
}

static void put_rule(struct conversion *conversion, const struct yaml_node *detection)
{
    struct buffer *out = conversion->out;
    const struct yaml_node *condition = yaml_get(detection, "condition");

    buffer_printf(out,
                  "---\ntitle: Copy %d\n"
                  "logsource: {product: linux, category: process_creation}\ndetection:\n",
                  conversion->count++);
    for (size_t i = 0; i < detection->count; i++) {
        if (detection->items[i] == condition)
            continue;
        buffer_printf(out, "  %.*s: ", TEXT_ARG(detection->keys[i]->text));
        put_selection(conversion, detection->items[i]);
        buffer_put_char(out, '\n');
    }
    buffer_printf(out, "  condition: '%.*s'\n", TEXT_ARG(condition->text));
}

/* nftw() has no argument for its callback. */
static struct conversion converting;

static int convert_file(const char *path, const struct stat *status, int flag, struct FTW *ftw)
{
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    CLEANUP(arena_deinit) struct arena arena = {0};
    CLEANUP(buffer_deinit) struct buffer content = {0};
    CLEANUP(fclosep) FILE *file = NULL;
    struct yaml_documents documents = {0};

    if (flag != FTW_F || !text_ends(text_from(path), TEXT(".yml")))
        return 0;
    file = fopen(path, "re");
    if (!file || buffer_read_fd(&content, fileno(file), SIZE_MAX / 2) < 0 ||
        yaml_read(buffer_text(&content), path, &arena, &diags, &documents) < 0)
        return -1;
    for (size_t i = 0; i < documents.count; i++) {
        const struct yaml_node *detection =
            documents.roots[i] ? yaml_get(documents.roots[i], "detection") : NULL;

        for (converting.copy = 1; detection && converting.copy <= converting.copies;
             converting.copy++)
            put_rule(&converting, detection);
    }
    return 0;
}

int match_rules_copy_sigma(struct buffer *out, const char *folder, unsigned copies)
{
    converting = (struct conversion){.out = out, .copies = copies};
    if (nftw(folder, convert_file, 16, FTW_PHYS) != 0)
        return -EIO;
    return converting.count;
}
