/* What tests ask of a NATS server:
 *
 *     nats_tool URL create STREAM SUBJECT
 *     nats_tool URL publish SUBJECT FILE PAUSE
 *                                             each line a message, acknowledged; it tries again.
 * The pause between two is in microseconds nats_tool URL delete STREAM nats_tool URL consumer
 * STREAM NAME      prints "PENDING UNACKNOWLEDGED REDELIVERED"
 */
#include <nats/nats.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE 600 /* attempts to publish a message, 50 ms apart */

static int fail(const char *what, natsStatus status)
{
    const char *said = nats_GetLastError(NULL);

    fprintf(stderr, "nats_tool: %s: %s\n", what, said ? said : natsStatus_GetText(status));
    return EXIT_FAILURE;
}

static int create(jsCtx *context, const char *stream, const char *subject)
{
    jsStreamConfig wanted;

    jsStreamConfig_Init(&wanted);
    wanted.Name = stream;
    wanted.Subjects = &subject;
    wanted.SubjectsLen = 1;
    natsStatus status = js_AddStream(NULL, context, &wanted, NULL, NULL);

    return status == NATS_OK ? EXIT_SUCCESS : fail("create", status);
}

static int publish_line(jsCtx *context, const char *subject, const char *line, size_t len)
{
    natsStatus status = NATS_OK;

    for (int i = 0; i < PATIENCE; i++) {
        status = js_Publish(NULL, context, subject, line, (int)len, NULL, NULL);
        if (status == NATS_OK)
            return EXIT_SUCCESS;
        usleep(50000);
    }
    return fail("publish", status);
}

static int publish(jsCtx *context, const char *subject, const char *path, useconds_t pause)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;
    int result = EXIT_SUCCESS;
    ssize_t len;

    if (!file) {
        perror(path);
        return EXIT_FAILURE;
    }
    while (result == EXIT_SUCCESS && (len = getline(&line, &size, file)) > 0) {
        usleep(pause);
        result = publish_line(context, subject, line, (size_t)len - (line[len - 1] == '\n'));
    }
    free(line);
    fclose(file);
    return result;
}

static int delete (jsCtx *context, const char *stream)
{
    natsStatus status = js_DeleteStream(context, stream, NULL, NULL);

    return status == NATS_OK ? EXIT_SUCCESS : fail("delete", status);
}

static int consumer(jsCtx *context, const char *stream, const char *name)
{
    jsConsumerInfo *info = NULL;
    natsStatus status = js_GetConsumerInfo(&info, context, stream, name, NULL, NULL);

    if (status != NATS_OK)
        return fail("consumer", status);
    printf("%llu %lld %lld\n", (unsigned long long)info->NumPending, (long long)info->NumAckPending,
           (long long)info->NumRedelivered);
    jsConsumerInfo_Destroy(info);
    return EXIT_SUCCESS;
}

static int run(jsCtx *context, int argc, char **argv)
{
    const char *verb = argv[2];

    if (strcmp(verb, "create") == 0 && argc == 5)
        return create(context, argv[3], argv[4]);
    if (strcmp(verb, "publish") == 0 && argc == 6)
        return publish(context, argv[3], argv[4], (useconds_t)strtoul(argv[5], NULL, 10));
    if (strcmp(verb, "delete") == 0 && argc == 4)
        return delete (context, argv[3]);
    if (strcmp(verb, "consumer") == 0 && argc == 5)
        return consumer(context, argv[3], argv[4]);
    fprintf(stderr, "nats_tool: no such verb\n");
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    natsOptions *options = NULL;
    natsConnection *connection = NULL;
    jsCtx *context = NULL;

    if (argc < 4)
        return EXIT_FAILURE;
    natsOptions_Create(&options);
    natsOptions_SetURL(options, argv[1]);
    natsOptions_SetMaxReconnect(options, -1);
    natsOptions_SetReconnectWait(options, 50);
    natsStatus status = natsConnection_Connect(&connection, options);

    if (status == NATS_OK)
        status = natsConnection_JetStream(&context, connection, NULL);
    int result = status == NATS_OK ? run(context, argc, argv) : fail("connect", status);

    jsCtx_Destroy(context);
    natsConnection_Destroy(connection);
    natsOptions_Destroy(options);
    nats_CloseAndWait(2000);
    return result;
}
