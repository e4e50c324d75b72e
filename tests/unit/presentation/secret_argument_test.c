/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "base/buffer.h"
#include "presentation/secret_argument.h"

#define BOTH (SECRET_PASSWORDS | SECRET_TOKENS)

/* What is left of COMMAND, its words the arguments, with each secret as "#". */
static void mask(const char *command, unsigned classes, struct buffer *out)
{
    struct secret_arguments arguments = {.classes = classes};

    for (struct text rest = text_from(command), word; (word = secret_word_next(&rest)).ptr;) {
        struct secret_span span = {word.len, word.len};

        if (out->len)
            buffer_put_char(out, ' ');
        if (secret_arguments_next(&arguments, word, &span))
            assert_true(span.begin < span.end && span.end <= word.len);
        buffer_put(out, word.ptr, span.begin);
        if (span.begin < span.end)
            buffer_put_char(out, '#');
        buffer_put(out, word.ptr + span.end, word.len - span.end);
    }
}

static void expect(const char *command, unsigned classes, const char *masked)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};

    mask(command, classes, &out);
    assert_string_equal(masked, buffer_string(&out));
}

static void long_options_carry_passwords(void **state)
{
    expect("x --password=a --db-password b --pass c -password d", BOTH,
           "x --password=# --db-password # --pass # -password #");
    expect("x --passphrase 'a b' --http-passwd=c --client-secret d --db.pwd=e", BOTH,
           "x --passphrase # --http-passwd=# --client-secret # --db.pwd=#");
    expect("java -Dspring.datasource.password=a -storepass b", BOTH,
           "java -Dspring.datasource.password=# -storepass #");
}

static void long_options_carry_tokens(void **state)
{
    expect("x --token a --api-key=b --accessToken=c --aws_secret_access_key d", BOTH,
           "x --token # --api-key=# --accessToken=# --aws_secret_access_key #");
}

static void variables_carry_both(void **state)
{
    expect("PGPASSWORD=a DB_PASS=b MYSQL_PWD=c GITHUB_TOKEN=d npm_config_secret=e", BOTH,
           "PGPASSWORD=# DB_PASS=# MYSQL_PWD=# GITHUB_TOKEN=# npm_config_secret=#");
    expect("SSHPASS=a DBPASS=b RAILS_MASTER_KEY=c", BOTH, "SSHPASS=# DBPASS=# RAILS_MASTER_KEY=#");
}

static void a_class_finds_its_own(void **state)
{
    expect("x --password a --token b", SECRET_PASSWORDS, "x --password # --token b");
    expect("x --password a --token b", SECRET_TOKENS, "x --password a --token #");
    expect("mysql -pa", SECRET_TOKENS, "mysql -pa");
}

static void what_only_looks_like_it_stays(void **state)
{
    static const char *const commands[] = {
        "env PWD=/home OLDPWD=/tmp BYPASS=1 COMPASS=n",
        "x --password-file=/a --no-password b",
        "x --ask-pass b --password-stdin c",
        "mkdir -p /a/b",
        "ssh -p 22 host",
        "docker run -p 80:80 nginx",
        "cat /etc/passwd passwords.txt",
        "x --tokenizer=a --passive b",
        "passwd ann",
        "mysql -P 3306 -u root",
        "x --password= --token=",
        "curl -u ann https://x/",
    };

    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        expect(commands[i], BOTH, commands[i]);
}

static void an_option_without_its_value_takes_no_other(void **state)
{
    expect("mysql --password -u root --token --verbose", BOTH,
           "mysql --password -u root --token --verbose");
    expect("x --password -Secret", BOTH, "x --password #");
    expect("x --password", BOTH, "x --password");
}

static void programs_have_options_of_their_own(void **state)
{
    static const struct {
        const char *command, *masked;
    } cases[] = {
        {"/usr/bin/mysqldump -uroot -phunter2 db", "/usr/bin/mysqldump -uroot -p# db"},
        {"sshpass -p hunter2 ssh -p 22 h", "sshpass -p # ssh -p 22 h"},
        {"sudo mariadb -phunter2", "sudo mariadb -p#"},
        {"curl -u ann:hunter2 -Uann:b --proxy-user c:d", "curl -u ann:# -Uann:# --proxy-user c:#"},
        {"smbclient -U ann%hunter2 //h/s", "smbclient -U ann%# //h/s"},
        {"redis-cli -a hunter2", "redis-cli -a #"},
        {"7z a -phunter2 x.7z", "7z a -p# x.7z"},
        {"docker login -u ann -p hunter2 reg", "docker login -u ann -p # reg"},
        {"ldapsearch -x -w hunter2", "ldapsearch -x -w #"},
        {"ldapsearch -xw hunter2", "ldapsearch -xw #"},
        {"curl -su ann:hunter2 h", "curl -su ann:# h"},
        {"curl -sSuann:hunter2 h", "curl -sSuann:# h"},
        {"curl --oauth2-bearer hunter2 h", "curl --oauth2-bearer # h"},
        {"http -a ann:hunter2 h", "http -a ann:# h"},
        {"openssl enc -k hunter2", "openssl enc -k #"},
        {"ssh-keygen -N hunter2 -f /x", "ssh-keygen -N # -f /x"},
        {"snmpget -v3 -A hunter2 -Xhunter2 h", "snmpget -v3 -A # -X# h"},
        {"nmcli dev wifi connect n password hunter2", "nmcli dev wifi connect n password #"},
        {"mysqladmin -u root password hunter2", "mysqladmin -u root password #"},
        {"az login -u ann -p hunter2", "az login -u ann -p #"},
        {"az vm create -p 22", "az vm create -p 22"},
        {"kubectl create secret generic x --from-literal=a=hunter2",
         "kubectl create secret generic x --from-literal=a=#"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(cases[i].command, BOTH, cases[i].masked);
}

static void headers_carry_all_of_their_value(void **state)
{
    expect("curl -H 'Private-Token: a' -H 'Api-Key: b c'", BOTH,
           "curl -H Private-Token: # -H Api-Key: #");
    expect("curl -H 'Authorization: Digest username=a, response=b' -H 'Cookie: a=b; c=d'", BOTH,
           "curl -H Authorization: Digest # -H Cookie: #");
    expect("curl -H 'Authorization: a'", BOTH, "curl -H Authorization: #");
    expect("docker pull vault-token:1 -v token:/x -H 'Accept: a' 'Token: '", BOTH,
           "docker pull vault-token:1 -v token:/x -H Accept: a Token: ");
}

static void words_are_a_shells(void **state)
{
    expect("cd /x;mysql -pa&&(redis-cli -a b)|cat", BOTH, "cd /x mysql -p# redis-cli -a # cat");
    expect("x --password=\"a b\" it's --token c", BOTH, "x --password=\"#\" it's --token #");
    expect("  ", BOTH, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_options_carry_passwords),
        cmocka_unit_test(long_options_carry_tokens),
        cmocka_unit_test(variables_carry_both),
        cmocka_unit_test(a_class_finds_its_own),
        cmocka_unit_test(what_only_looks_like_it_stays),
        cmocka_unit_test(an_option_without_its_value_takes_no_other),
        cmocka_unit_test(programs_have_options_of_their_own),
        cmocka_unit_test(headers_carry_all_of_their_value),
        cmocka_unit_test(words_are_a_shells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
