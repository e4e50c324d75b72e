/* The output `kafka`, with librdkafka's cluster for tests: brokers that listen on real sockets, in
 * a process of their own. */
#include "rig.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "contract.h"
#include "outage.h"

#define BROKERS    3
#define PARTITIONS 4
#define TOPIC      "picket-alerts"

#define CLUSTER_VERB "cluster"

/* What the cluster can be told; it answers each with a byte. */
enum order {
    ORDER_DOWN = 'd',  /* no broker answers any more */
    ORDER_UP = 'u',    /* all do again */
    ORDER_ERROR = 'e', /* the next batches are refused, for reasons that pass */
    ORDER_LARGE = 'l', /* the next is too large, and all that is sent with it */
    ORDER_TIME = 't',  /* the next is of a time that is not taken */
    ORDER_READ = 'r'   /* all there is, into the files `alerts` and `records` */
};

struct cluster {
    struct rig rig;
    const char *brokers;
    int orders;
    pid_t pid;
};

static void require(bool so)
{
    if (!so)
        abort();
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *brokers)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    rd_kafka_conf_set(conf, "enable.partition.eof", "true", why, sizeof why);
    rd_kafka_conf_set(conf, "group.id", "reader", why, sizeof why);
    rd_kafka_conf_set(conf, "log_level", "0", why, sizeof why);
    if (brokers)
        rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof why);
    rd_kafka_t *made = rd_kafka_new(type, conf, why, sizeof why);

    require(made);
    return made;
}

static rd_kafka_t *reader_new(const char *brokers)
{
    rd_kafka_t *reader = client(RD_KAFKA_CONSUMER, brokers);
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(PARTITIONS);

    for (int i = 0; i < PARTITIONS; i++)
        rd_kafka_topic_partition_list_add(parts, TOPIC, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    require(rd_kafka_assign(reader, parts) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(parts);
    return reader;
}

static void put_header(FILE *file, const rd_kafka_message_t *message, const char *name)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t len;

    require(rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR);
    require(rd_kafka_header_get_last(headers, name, &value, &len) == RD_KAFKA_RESP_ERR_NO_ERROR);
    fprintf(file, "%.*s ", (int)len, (const char *)value);
}

static void read_all(const char *brokers, const char *dir)
{
    rd_kafka_t *reader = reader_new(brokers);
    char path[128];
    int ends = 0;

    snprintf(path, sizeof path, "%s/alerts", dir);
    FILE *alerts = fopen(path, "we");

    snprintf(path, sizeof path, "%s/records", dir);
    FILE *records = fopen(path, "we");

    require(alerts && records);
    while (ends < PARTITIONS) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader, 30000);

        require(message);
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            ends++;
        } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            fprintf(alerts, "%.*s\n", (int)message->len, (const char *)message->payload);
            put_header(records, message, "id");
            put_header(records, message, "severity");
            fprintf(records, "%.*s\n", (int)message->key_len, (const char *)message->key);
        }
        rd_kafka_message_destroy(message);
    }
    fclose(alerts);
    fclose(records);
    rd_kafka_destroy(reader);
}

static void obey(rd_kafka_mock_cluster_t *cluster, enum order order, const char *dir)
{
    for (int i = 1; order == ORDER_DOWN && i <= BROKERS; i++)
        rd_kafka_mock_broker_set_down(cluster, i);
    for (int i = 1; order == ORDER_UP && i <= BROKERS; i++)
        rd_kafka_mock_broker_set_up(cluster, i);
    if (order == ORDER_ERROR)
        rd_kafka_mock_push_request_errors(cluster, 0 /* Produce */, 4,
                                          RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                          RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                          RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
                                          RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
    if (order == ORDER_LARGE)
        rd_kafka_mock_push_request_errors(cluster, 0, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    if (order == ORDER_TIME)
        rd_kafka_mock_push_request_errors(cluster, 0, 1, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP);
    if (order == ORDER_READ)
        read_all(rd_kafka_mock_cluster_bootstraps(cluster), dir);
}

/* This program as the cluster; its standard input is where orders come from. */
static int be_cluster(const char *dir)
{
    rd_kafka_t *handle = client(RD_KAFKA_PRODUCER, NULL);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(handle, BROKERS);
    char order;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    require(cluster);
    rd_kafka_mock_topic_create(cluster, TOPIC, PARTITIONS, BROKERS);
    const char *brokers = rd_kafka_mock_cluster_bootstraps(cluster);

    require(write(STDIN_FILENO, brokers, strlen(brokers)) > 0);
    while (read(STDIN_FILENO, &order, 1) == 1) {
        obey(cluster, (enum order)order, dir);
        require(write(STDIN_FILENO, &order, 1) == 1);
    }
    return 0;
}

static pid_t spawn_cluster(const struct rig *rig, int orders)
{
    const char *const arguments[] = {"/proc/self/exe", CLUSTER_VERB, rig->dir, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, orders, STDIN_FILENO);
    assert_int_equal(
        0, posix_spawn(&pid, arguments[0], &actions, NULL, (char *const *)arguments, environ));
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static int set_up(void **state)
{
    static struct cluster cluster;
    char brokers[256];
    int pair[2];

    cluster = (struct cluster){0};
    rig_init(&cluster.rig);
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
    cluster.pid = spawn_cluster(&cluster.rig, pair[1]);
    close(pair[1]);
    cluster.orders = pair[0];
    ssize_t len = read(pair[0], brokers, sizeof brokers - 1);

    assert_true(len > 0);
    brokers[len] = '\0';
    cluster.brokers = arena_string(&cluster.rig.arena, brokers);
    *state = &cluster;
    return 0;
}

static int tear_down(void **state)
{
    struct cluster *cluster = *state;

    rig_stop(&cluster->rig);
    close(cluster->orders);
    kill(cluster->pid, SIGKILL);
    waitpid(cluster->pid, NULL, 0);
    rig_deinit(&cluster->rig);
    return 0;
}

static void tell(struct cluster *cluster, enum order order)
{
    char byte = (char)order;

    assert_int_equal(1, write(cluster->orders, &byte, 1));
    assert_int_equal(1, read(cluster->orders, &byte, 1));
}

/* The output, with MORE of its options. The list of brokers has commas, which an argument has too.
 */
static const char *output(struct cluster *cluster, const char *more)
{
    CLEANUP(buffer_deinit) struct buffer argument = {0};
    struct text rest = text_from(cluster->brokers);

    buffer_put_string(&argument, "kafka,key=rule.id");
    while (rest.len)
        buffer_printf(&argument, ",brokers=%.*s", TEXT_ARG(text_split(&rest, ',')));
    buffer_put_string(&argument, more);
    return arena_string(&cluster->rig.arena, buffer_string(&argument));
}

static void start(struct cluster *cluster, const char *more)
{
    const char *argument = output(cluster, more);

    rig_start(&cluster->rig, &argument, 1);
}

static void await_delivered(struct cluster *cluster, size_t count)
{
    int64_t until = clock_monotonic() + 60 * NS_PER_S;

    while (rig_counters(&cluster->rig, 0).delivered < count) {
        assert_true(clock_monotonic() < until);
        usleep(200);
    }
}

static void alerts_are_records(void **state)
{
    struct cluster *cluster = *state;

    start(cluster, ",compression=zstd,properties=linger.ms=1");
    rig_push(&cluster->rig, 2, false);
    rig_drain(&cluster->rig);
    tell(cluster, ORDER_READ);
    rig_expect(&cluster->rig, "alerts", 2, ONCE);
    assert_true(text_is(rig_read(&cluster->rig, "records"),
                        "000001 high tmp-binary\n000002 high tmp-binary\n"));
    rig_expect_sum(&cluster->rig, 0);
}

static void brokers_that_go_and_come_lose_nothing(void **state)
{
    struct cluster *cluster = *state;

    start(cluster, ",deadline=3s");
    for (unsigned part = 1; part <= 2; part++) {
        rig_push(&cluster->rig, 5000, true);
        await_delivered(cluster, part * 5000 - 4500);
        tell(cluster, ORDER_DOWN);
        unsigned long long retries = rig_counters(&cluster->rig, 0).retries;

        while (rig_counters(&cluster->rig, 0).retries == retries)
            usleep(1000);
        tell(cluster, ORDER_UP);
    }
    rig_drain(&cluster->rig);
    assert_int_equal(10000, rig_counters(&cluster->rig, 0).delivered);
    rig_expect_sum(&cluster->rig, 0);
    tell(cluster, ORDER_READ);
    rig_expect(&cluster->rig, "alerts", 10000, REPEATS);
}

static void go_down(void *cluster)
{
    tell(cluster, ORDER_DOWN);
}

static void come_up(void *cluster)
{
    tell(cluster, ORDER_UP);
}

static void alerts_outlast_an_outage(void **state)
{
    struct cluster *cluster = *state;
    const struct outage outage = {
        .rig = &cluster->rig, .server = cluster, .stop = go_down, .start = come_up};

    rig_open_journal(&cluster->rig, "@/alerts.db", JOURNAL_SIZE);
    start(cluster, "");
    outage_run(&outage);
    tell(cluster, ORDER_READ);
    outage_expect(&outage, "alerts", "\"id\":\"");
}

static void errors_that_pass_double_nothing(void **state)
{
    struct cluster *cluster = *state;

    start(cluster, "");
    rig_push(&cluster->rig, 100, true);
    rig_drain(&cluster->rig);
    tell(cluster, ORDER_ERROR);
    rig_push(&cluster->rig, 900, true);
    rig_drain(&cluster->rig);
    assert_int_equal(1000, rig_counters(&cluster->rig, 0).delivered);
    tell(cluster, ORDER_READ);
    rig_expect(&cluster->rig, "alerts", 1000, ONCE);
}

static void a_host_that_dies_loses_nothing(void **state)
{
    struct cluster *cluster = *state;

    start(cluster, "");
    for (unsigned part = 1; part <= 3; part++) {
        pid_t host = rig_await_host(&cluster->rig, 0);

        rig_push(&cluster->rig, 2000, true);
        await_delivered(cluster, part * 2000 - 1500);
        kill(host, SIGKILL);
    }
    rig_drain(&cluster->rig);
    tell(cluster, ORDER_READ);
    rig_expect(&cluster->rig, "alerts", 6000, REPEATS);
}

static void what_is_too_large_is_rejected(void **state)
{
    struct cluster *cluster = *state;
    struct rig *rig = &cluster->rig;
    static char message[70000];

    start(cluster, ",properties=message.max.bytes=60000");
    rig_push(rig, 3, false);
    memset(message, 'm', sizeof message - 1);
    rig_push_json(rig, "m", arena_printf(&rig->arena, "{\"message\":\"%s\"}", message));
    rig_push(rig, 1, false);
    rig_drain(rig);
    assert_int_equal(4, rig_counters(rig, 0).delivered);
    assert_int_equal(1, rig_counters(rig, 0).rejected);
    tell(cluster, ORDER_LARGE);
    tell(cluster, ORDER_LARGE);
    rig_push(rig, 1, false);
    rig_drain(rig);
    assert_int_equal(2, rig_counters(rig, 0).rejected);
    rig_push(rig, 1, false);
    rig_drain(rig);
    assert_int_equal(5, rig_counters(rig, 0).delivered);
}

/* A topic takes less at once than the library sends. */
static void what_is_too_large_together_is_sent_alone(void **state)
{
    struct cluster *cluster = *state;

    start(cluster, ",properties=linger.ms=100");
    tell(cluster, ORDER_LARGE);
    rig_push(&cluster->rig, 50, true);
    rig_drain(&cluster->rig);
    assert_int_equal(50, rig_counters(&cluster->rig, 0).delivered);
    tell(cluster, ORDER_READ);
    rig_expect(&cluster->rig, "alerts", 50, ONCE);
}

/* Old alerts, of a machine whose clock is wrong. */
static void times_that_a_topic_refuses_cost_nothing(void **state)
{
    struct cluster *cluster = *state;

    start(cluster, "");
    tell(cluster, ORDER_TIME);
    rig_push(&cluster->rig, 5, true);
    rig_drain(&cluster->rig);
    assert_int_equal(5, rig_counters(&cluster->rig, 0).delivered);
}

static void it_keeps_the_contract(void **state)
{
    struct cluster *cluster = *state;

    contract_expect(
        arena_printf(&cluster->rig.arena, RIG_PLUGIN_DIR "/kafka.so%s",
                     output(cluster, ",properties=message.max.bytes=8000000") + strlen("kafka")),
        40);
}

static void expect_refusal(struct cluster *cluster, const char *options, const char *why)
{
    const char *argument = output(cluster, options);
    const char *shown = rig_refuse(&cluster->rig, &argument, 1);

    if (!strstr(shown, why))
        fail_msg("'%s' is not in: %s", why, shown);
    diag_list_deinit(&cluster->rig.diags);
    cluster->rig.diags = (struct diag_list){0};
}

static void what_cannot_be_is_refused(void **state)
{
    struct cluster *cluster = *state;

    expect_refusal(cluster, ",properties=acks=1", "alerts would not be safe: acks");
    expect_refusal(cluster, ",properties=plugin.library.paths=/tmp/x", "would not be safe: plugin");
    expect_refusal(cluster, ",properties=test.mock.num.brokers=3", "would not be safe: test");
    expect_refusal(cluster, ",properties=sasl.password=x", "a secret does not belong");
    expect_refusal(cluster, ",properties=bootstrap.servers=h", "there is an option");
    expect_refusal(cluster, ",properties=linger.ms", "is written NAME=VALUE");
    expect_refusal(cluster, ",properties=no.such=1", "No such configuration property");
    expect_refusal(cluster, ",properties=linger.ms=soon", "linger.ms");
    expect_refusal(cluster, ",user=ann", "'user' and 'password' go together");
    expect_refusal(cluster, ",ca=/none", "ssl.ca.location");
}

static int all_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(alerts_are_records, set_up, tear_down),
        cmocka_unit_test_setup_teardown(brokers_that_go_and_come_lose_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(alerts_outlast_an_outage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(errors_that_pass_double_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_host_that_dies_loses_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_large_is_rejected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_large_together_is_sent_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(times_that_a_topic_refuses_cost_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_keeps_the_contract, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_is_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], CLUSTER_VERB) == 0)
        return be_cluster(argv[2]);
    return rig_main(argc, argv, all_tests);
}
