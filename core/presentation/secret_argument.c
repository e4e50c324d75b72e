#include "presentation/secret_argument.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

/* Programs whose short options carry passwords. Those of LOGIN do behind a subcommand `login`; what
 * follows the options of a WRAPPER is another program. */
struct secret_program {
    const char *name;     /* of its file, a glob */
    const char *attached; /* letters of options with the secret in the same argument, "-pX" */
    const char *separate; /* ... and of those with it in the next */
    const char *flags;    /* letters that may stand before one of those, "-su" */
    const char *names;    /* other options and words, "a|b", besides what is named like a secret */
    char separator;       /* the secret is what stands behind it; 0: all */
    enum { PLAIN, LOGIN, WRAPPER } kind;
};

#define CURL_FLAGS "#0123456BGIOLNRSaefgijklnpqsv"

static const struct secret_program programs[] = {
    {"mysqladmin", "p", "", "", "password", 0, PLAIN},
    {"mysql*", "p", "", "", NULL, 0, PLAIN},
    {"mariadb-admin", "p", "", "", "password", 0, PLAIN},
    {"mariadb*", "p", "", "", NULL, 0, PLAIN},
    {"sshpass", "p", "p", "", NULL, 0, WRAPPER},
    {"mongo*", "p", "p", "", NULL, 0, PLAIN},
    {"redis-cli", "a", "a", "", NULL, 0, PLAIN},
    {"7z*", "p", "", "", NULL, 0, PLAIN},
    {"rar", "p", "", "", NULL, 0, PLAIN},
    {"unrar", "p", "", "", NULL, 0, PLAIN},
    {"zip", "P", "P", "", NULL, 0, PLAIN},
    {"unzip", "P", "P", "", NULL, 0, PLAIN},
    {"curl", "uU", "uU", CURL_FLAGS, "user|proxy-user", ':', PLAIN},
    {"http", "a", "a", "", "auth", ':', PLAIN},
    {"https", "a", "a", "", "auth", ':', PLAIN},
    {"lftp", "u", "u", "", "user", ',', PLAIN},
    {"ldap*", "w", "w", "xvnZLcM", NULL, 0, PLAIN},
    {"smbclient", "U", "U", "", "user", '%', PLAIN},
    {"rpcclient", "U", "U", "", "user", '%', PLAIN},
    {"winexe", "U", "U", "", "user", '%', PLAIN},
    {"useradd", "p", "p", "", NULL, 0, PLAIN},
    {"usermod", "p", "p", "", NULL, 0, PLAIN},
    {"sqlcmd", "P", "P", "", NULL, 0, PLAIN},
    {"bcp", "P", "P", "", NULL, 0, PLAIN},
    {"cqlsh", "p", "p", "", NULL, 0, PLAIN},
    {"twine", "p", "p", "", NULL, 0, PLAIN},
    {"openssl", "", "kK", "", NULL, 0, PLAIN},
    {"ssh-keygen", "NP", "NP", "", NULL, 0, PLAIN},
    {"snmp*", "cAX", "cAX", "", NULL, 0, PLAIN},
    {"ipmitool", "P", "P", "", NULL, 0, PLAIN},
    {"rdesktop", "p", "p", "", NULL, 0, PLAIN},
    {"nmcli", "", "", "", "password|wifi-sec.psk|802-11-wireless-security.psk", 0, PLAIN},
    {"kubectl", "", "", "", "from-literal", '=', PLAIN},
    {"oc", "", "", "", "from-literal", '=', PLAIN},
    {"az", "p", "p", "", NULL, 0, LOGIN},
    {"docker", "p", "p", "", NULL, 0, LOGIN},
    {"podman", "p", "p", "", NULL, 0, LOGIN},
    {"buildah", "p", "p", "", NULL, 0, LOGIN},
    {"nerdctl", "p", "p", "", NULL, 0, LOGIN},
    {"skopeo", "p", "p", "", NULL, 0, LOGIN},
    {"helm", "p", "p", "", NULL, 0, LOGIN},
};

/* What names of secrets end with, without case and separators. */
static const struct ending {
    const char *word;
    unsigned class;
    bool apart; /* something must tell it from what stands before it: "bypass" is no "pass" */
} endings[] = {
    {"password", SECRET_PASSWORDS, false},   {"passwd", SECRET_PASSWORDS, false},
    {"passphrase", SECRET_PASSWORDS, false}, {"passcode", SECRET_PASSWORDS, false},
    {"storepass", SECRET_PASSWORDS, false},  {"keypass", SECRET_PASSWORDS, false},
    {"dbpass", SECRET_PASSWORDS, false},     {"sshpass", SECRET_PASSWORDS, false},
    {"userpass", SECRET_PASSWORDS, false},   {"rootpass", SECRET_PASSWORDS, false},
    {"adminpass", SECRET_PASSWORDS, false},  {"smtppass", SECRET_PASSWORDS, false},
    {"ldappass", SECRET_PASSWORDS, false},   {"sqlpass", SECRET_PASSWORDS, false},
    {"pass", SECRET_PASSWORDS, true},        {"secret", SECRET_PASSWORDS, true},
    {"pwd", SECRET_PASSWORDS, true},         {"token", SECRET_TOKENS, false},
    {"apikey", SECRET_TOKENS, false},        {"accesskey", SECRET_TOKENS, false},
    {"secretkey", SECRET_TOKENS, false},     {"authkey", SECRET_TOKENS, false},
    {"sessionkey", SECRET_TOKENS, false},    {"masterkey", SECRET_TOKENS, false},
    {"encryptionkey", SECRET_TOKENS, false}, {"signingkey", SECRET_TOKENS, false},
    {"bearer", SECRET_TOKENS, true},         {"authorization", SECRET_TOKENS, false},
    {"cookie", SECRET_TOKENS, true},         {"credential", SECRET_TOKENS, true},
    {"credentials", SECRET_TOKENS, true},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static bool is_separator(char c)
{
    return c == '-' || c == '_' || c == '.';
}

static bool is_name_character(char c)
{
    return is_separator(c) || (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
}

/* How many bytes at the end of NAME are WORD, separators within it passed over; 0: none. */
static size_t ending_len(struct text name, const char *word)
{
    size_t left = strlen(word), at = name.len;

    while (left && at) {
        char c = name.ptr[--at];

        if (lower(c) == word[left - 1])
            left--;
        else if (!is_separator(c) || left == strlen(word))
            return 0;
    }
    return left ? 0 : name.len - at;
}

static bool has_ending(struct text name, const struct ending *ending)
{
    size_t len = ending_len(name, ending->word);

    if (len == 0 || !ending->apart)
        return len != 0;
    /* PWD and OLDPWD are folders. */
    if (len == name.len)
        return strcmp(ending->word, "pwd") != 0;
    char first = name.ptr[name.len - len], before = name.ptr[name.len - len - 1];

    return is_separator(before) || (first < 'a' && before >= 'a');
}

/* `--no-password` and the like ask for none. */
static bool is_negative(struct text name)
{
    static const char *const fronts[] = {"no-", "without-", "disable-", "skip-", "ask-", "prompt-"};

    for (size_t i = 0; i < COUNT(fronts); i++)
        if (text_starts(name, text_from(fronts[i])))
            return true;
    return false;
}

static bool is_secret_name(struct text name, unsigned classes)
{
    if (is_negative(name))
        return false;
    for (size_t i = 0; i < COUNT(endings); i++)
        if (endings[i].class & classes && has_ending(name, &endings[i]))
            return true;
    return false;
}

static bool is_among(struct text word, const char *words)
{
    struct text rest = words ? text_from(words) : (struct text){NULL, 0};

    while (rest.ptr)
        if (text_equal(word, text_split(&rest, '|')))
            return true;
    return false;
}

/* The name of the program that ARGUMENT may be the path of; len 0: it can be none. */
static struct text file_name(struct text argument)
{
    const char *slash = memrchr(argument.ptr, '/', argument.len);
    size_t from = slash ? (size_t)(slash - argument.ptr) + 1 : 0;

    return (struct text){argument.ptr + from, argument.len - from};
}

static const struct secret_program *find_program(struct text argument)
{
    struct text name = file_name(argument);
    char text[32];

    if (name.len == 0 || name.len >= sizeof text || memchr(name.ptr, '=', name.len))
        return NULL;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    for (size_t i = 0; i < COUNT(programs); i++)
        if (programs[i].name[0] == text[0] && fnmatch(programs[i].name, text, 0) == 0)
            return &programs[i];
    return NULL;
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

/* The part of ARGUMENT from FROM on that is secret, without quotes around it; false when nothing
 * is. */
static bool take(struct text argument, size_t from, char separator, struct secret_span *out)
{
    const char *at = separator ? memchr(argument.ptr + from, separator, argument.len - from) : NULL;

    if (separator && !at)
        return false;
    *out = (struct secret_span){at ? (size_t)(at - argument.ptr) + 1 : from, argument.len};
    if (out->end - out->begin > 2 && is_quote(argument.ptr[out->begin]) &&
        argument.ptr[out->end - 1] == argument.ptr[out->begin]) {
        out->begin++;
        out->end--;
    }
    return out->begin < out->end;
}

/* `--` is an option, and `-u`: a password that looks like one is not to be told from it. */
static bool is_option(struct text argument)
{
    return argument.len > 0 && argument.ptr[0] == '-' &&
           (argument.len <= 2 || argument.ptr[1] == '-');
}

static bool take_short(struct secret_arguments *arguments, struct text argument,
                       struct secret_span *out)
{
    const struct secret_program *program = arguments->program;
    size_t at = 1;

    if (!program || !(arguments->classes & SECRET_PASSWORDS) || argument.len < 2 ||
        argument.ptr[1] == '-' || (program->kind == LOGIN && !arguments->in_login))
        return false;
    while (at + 1 < argument.len && strchr(program->flags, argument.ptr[at]))
        at++;
    if (at + 1 < argument.len)
        return strchr(program->attached, argument.ptr[at]) &&
               take(argument, at + 1, program->separator, out);
    arguments->expects = strchr(program->separate, argument.ptr[at]);
    arguments->separator = program->separator;
    return false;
}

/* ARGUMENT is NAME=VALUE or -NAME: FRONT bytes before the name, LEN bytes of it. */
static bool take_named(struct secret_arguments *arguments, struct text argument, struct text name,
                       struct secret_span *out)
{
    const struct secret_program *program = arguments->program;
    size_t end = (size_t)(name.ptr - argument.ptr) + name.len;
    bool of_program =
        program && arguments->classes & SECRET_PASSWORDS && is_among(name, program->names);
    char separator = '\0';

    if (!of_program && !is_secret_name(name, arguments->classes))
        return false;
    if (of_program)
        separator = program->separator;
    if (end < argument.len)
        return take(argument, end + 1, separator, out);
    arguments->expects = of_program || argument.ptr[0] == '-';
    arguments->separator = separator;
    return false;
}

/* "NAME: VALUE", as HTTP has it: all of the value, whatever its form, but for the scheme of an
 * authorization. */
static bool take_header(const struct secret_arguments *arguments, struct text argument,
                        struct text name, struct secret_span *out)
{
    size_t begin = (size_t)(name.ptr - argument.ptr) + name.len + 1;

    if (begin >= argument.len || argument.ptr[begin] != ' ' ||
        !is_secret_name(name, arguments->classes))
        return false;
    while (begin < argument.len && argument.ptr[begin] == ' ')
        begin++;
    const char *space = memchr(argument.ptr + begin, ' ', argument.len - begin);

    if (space && ending_len(name, "authorization"))
        begin = (size_t)(space - argument.ptr) + 1;
    return take(argument, begin, '\0', out);
}

static bool take_argument(struct secret_arguments *arguments, struct text argument,
                          struct secret_span *out)
{
    size_t dashes = 0, end;

    while (dashes < argument.len && dashes < 2 && argument.ptr[dashes] == '-')
        dashes++;
    for (end = dashes; end < argument.len && is_name_character(argument.ptr[end]);)
        end++;
    struct text name = {argument.ptr + dashes, end - dashes};

    if (name.len && (end == argument.len || argument.ptr[end] == '=') &&
        take_named(arguments, argument, name, out))
        return true;
    if (name.len && end < argument.len && argument.ptr[end] == ':' &&
        take_header(arguments, argument, name, out))
        return true;
    return dashes == 1 && !arguments->expects && take_short(arguments, argument, out);
}

bool secret_arguments_next(struct secret_arguments *arguments, struct text argument,
                           struct secret_span *out)
{
    bool expects = arguments->expects;

    if (argument.len == 0) {
        arguments->expects = false;
        return false;
    }
    arguments->expects = false;
    if (expects && !is_option(argument))
        return take(argument, 0, arguments->separator, out);
    const struct secret_program *program = argument.ptr[0] == '-' ? NULL : find_program(argument);

    if (program) {
        arguments->program = program;
        arguments->in_login = false;
        return false;
    }
    if (arguments->program && arguments->program->kind == WRAPPER && argument.ptr[0] != '-')
        arguments->program = NULL;
    arguments->in_login |= text_is(argument, "login");
    return take_argument(arguments, argument, out);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool ends_word(char c)
{
    return is_space(c) || strchr(";|&()<>`", c);
}

/* Where what begins with a quote at AT ends; AT itself when the quote is never closed, as that of
 * "it's". */
static size_t quote_end(struct text t, size_t at)
{
    const char *end = memchr(t.ptr + at + 1, t.ptr[at], t.len - at - 1);

    return end ? (size_t)(end - t.ptr) : at;
}

struct text secret_word_next(struct text *rest)
{
    size_t begin = 0, end;

    while (begin < rest->len && ends_word(rest->ptr[begin]))
        begin++;
    for (end = begin; end < rest->len && !ends_word(rest->ptr[end]); end++)
        if (is_quote(rest->ptr[end]))
            end = quote_end(*rest, end);
    struct text word = {begin < rest->len ? rest->ptr + begin : NULL, end - begin};

    *rest = (struct text){rest->ptr + end, rest->len - end};
    if (word.len > 1 && is_quote(word.ptr[0]) && quote_end(word, 0) == word.len - 1)
        word = (struct text){word.ptr + 1, word.len - 2};
    return word;
}
