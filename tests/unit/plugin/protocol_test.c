/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>

#include "base/cleanup.h"
#include "plugin/plugin_info.h"
#include "plugin/protocol.h"

static void feed(struct frame_decoder *decoder, const char *bytes, size_t len)
{
    while (len) {
        size_t room;
        char *to = frame_decoder_room(decoder, &room);
        size_t part = len < room ? len : room;

        assert_non_null(to);
        memcpy(to, bytes, part);
        frame_decoder_filled(decoder, part);
        bytes += part;
        len -= part;
    }
}

static void put_raw(struct buffer *out, uint32_t len, uint16_t type, uint16_t version)
{
    const uint16_t kind[] = {type, version};

    payload_put_u32(out, len);
    buffer_put(out, kind, sizeof kind);
}

static void frames_come_out_as_they_went_in(void **state)
{
    const struct verdict verdict = {.batch = 1LL << 40,
                                    .delivered = 7,
                                    .rejected = 9,
                                    .action = 1,
                                    .retry_ms = 250,
                                    .reason = TEXT("busy")};
    const struct log_line line = {.level = 2, .text = TEXT("hello")};
    CLEANUP(buffer_deinit) struct buffer bytes = {0};
    CLEANUP(frame_decoder_deinit) struct frame_decoder decoder = {.limit = 4096};
    struct verdict got;
    struct log_line said;
    struct frame frame = {0};

    verdict_put(&verdict, &bytes);
    log_line_put(&line, FRAME_LOG, &bytes);
    /* A byte at a time: nothing comes before all of it is there. */
    size_t first = 0;

    for (size_t i = 0; i < bytes.len && first == 0; i++) {
        feed(&decoder, bytes.data + i, 1);
        if (frame_decoder_next(&decoder, &frame) == 1)
            first = i + 1;
    }
    assert_int_equal(FRAME_VERDICT, frame.type);
    assert_int_equal(0, verdict_read(frame.payload, &got));
    assert_int_equal(verdict.batch, got.batch);
    assert_int_equal(7, got.delivered);
    assert_int_equal(9, got.rejected);
    assert_int_equal(1, got.action);
    assert_int_equal(250, got.retry_ms);
    assert_true(text_is(got.reason, "busy"));
    feed(&decoder, bytes.data + first, bytes.len - first);
    assert_int_equal(1, frame_decoder_next(&decoder, &frame));
    assert_int_equal(FRAME_LOG, frame.type);
    assert_int_equal(0, log_line_read(frame.payload, &said));
    assert_int_equal(2, said.level);
    assert_true(text_is(said.text, "hello"));
    assert_int_equal(0, frame_decoder_next(&decoder, &frame));
}

static int decode_header(uint32_t len, uint16_t type, uint16_t version)
{
    CLEANUP(buffer_deinit) struct buffer bytes = {0};
    CLEANUP(frame_decoder_deinit) struct frame_decoder decoder = {.limit = 100};
    struct frame frame;

    put_raw(&bytes, len, type, version);
    feed(&decoder, bytes.data, bytes.len);
    return frame_decoder_next(&decoder, &frame);
}

static void headers_that_are_none_are_refused_at_once(void **state)
{
    assert_int_equal(0, decode_header(100, FRAME_LOG, PROTOCOL_VERSION));
    assert_int_equal(-EPROTO, decode_header(101, FRAME_LOG, PROTOCOL_VERSION));
    assert_int_equal(-EPROTO, decode_header(UINT32_MAX, FRAME_LOG, PROTOCOL_VERSION));
    assert_int_equal(-EPROTO, decode_header(0, 0, PROTOCOL_VERSION));
    assert_int_equal(-EPROTO, decode_header(0, FRAME_TYPE_END, PROTOCOL_VERSION));
    assert_int_equal(-EPROTO, decode_header(0, FRAME_LOG, PROTOCOL_VERSION + 1));
    assert_int_equal(1, decode_header(0, FRAME_CLOSE, PROTOCOL_VERSION));
}

static void a_claimed_length_takes_no_memory(void **state)
{
    CLEANUP(buffer_deinit) struct buffer bytes = {0};
    CLEANUP(frame_decoder_deinit) struct frame_decoder decoder = {.limit = 1000};
    size_t room;

    put_raw(&bytes, 1U << 30, FRAME_LOG, PROTOCOL_VERSION);
    feed(&decoder, bytes.data, bytes.len);
    assert_non_null(frame_decoder_room(&decoder, &room));
    assert_true(room < 100000);
}

static int read_log(const char *bytes, size_t len)
{
    struct log_line line;

    return log_line_read((struct text){bytes, len}, &line);
}

static void payloads_are_checked(void **state)
{
    static const char good[] = "\1\0\0\0\2\0\0\0ab"; /* with the NUL of the literal */

    assert_int_equal(0, read_log(good, sizeof good));
    for (size_t len = 0; len < sizeof good; len++)
        assert_int_equal(-EPROTO, read_log(good, len));
    assert_int_equal(-EPROTO, read_log("\1\0\0\0\2\0\0\0ab\0c", 12)); /* something behind it */
    assert_int_equal(-EPROTO, read_log("\1\0\0\0\2\0\0\0abc", 11));   /* no NUL behind the text */
    assert_int_equal(-EPROTO, read_log("\1\0\0\0\2\0\0\0a\0\0", 11)); /* one within */
    assert_int_equal(-EPROTO, read_log("\1\0\0\0\377\377\377\377ab", 11));
    assert_int_equal(-EPROTO, read_log("\4\0\0\0\2\0\0\0ab", 11)); /* a level there is not */
}

static void verdicts_are_checked(void **state)
{
    const struct verdict verdict = {.batch = 1, .action = PICKET_REJECT, .reason = TEXT("why")};
    const struct verdict unknown = {.batch = 1, .action = PICKET_REJECT + 1, .reason = TEXT("why")};
    CLEANUP(buffer_deinit) struct buffer bytes = {0};
    struct verdict got;

    verdict_put(&verdict, &bytes);
    const char *payload = bytes.data + FRAME_HEADER_LEN;
    size_t whole = bytes.len - FRAME_HEADER_LEN;

    assert_int_equal(0, verdict_read((struct text){payload, whole}, &got));
    for (size_t len = 0; len < whole; len++)
        assert_int_equal(-EPROTO, verdict_read((struct text){payload, len}, &got));
    buffer_clear(&bytes);
    verdict_put(&unknown, &bytes);
    payload = bytes.data + FRAME_HEADER_LEN;
    assert_int_equal(-EPROTO, verdict_read((struct text){payload, whole}, &got));
}

static void tables_come_out_as_they_went_in(void **state)
{
    struct plugin_option options[] = {
        {.name = TEXT("color"),
         .help = TEXT("h"),
         .value = TEXT("red"),
         .choices = TEXT("red|green"),
         .type = PICKET_ENUM},
        {.name = TEXT("port"),
         .help = TEXT(""),
         .min = -1,
         .max = 65535,
         .type = PICKET_INT,
         .flags = PICKET_REQUIRED},
    };
    const struct plugin_info info = {.name = TEXT("x-1"),
                                     .version = TEXT("1"),
                                     .help = TEXT("does"),
                                     .needs = PICKET_NEEDS_PROGRAMS,
                                     .batch_max = 3,
                                     .options = options,
                                     .option_count = 2};
    CLEANUP(arena_deinit) struct arena arena = {0};
    CLEANUP(buffer_deinit) struct buffer bytes = {0};
    struct plugin_info got;

    plugin_info_put(&info, &bytes);
    assert_int_equal(0, plugin_info_read(buffer_text(&bytes), &arena, &got));
    assert_true(text_is(got.name, "x-1"));
    assert_int_equal(PICKET_NEEDS_PROGRAMS, got.needs);
    assert_int_equal(3, got.batch_max);
    assert_int_equal(2, got.option_count);
    assert_true(text_is(got.options[0].choices, "red|green"));
    assert_null(got.options[1].value.ptr);
    assert_int_equal(-1, got.options[1].min);
    assert_int_equal(65535, got.options[1].max);
    assert_int_equal(PICKET_REQUIRED, got.options[1].flags);
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_equal(-EPROTO, plugin_info_read((struct text){bytes.data, len}, &arena, &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_out_as_they_went_in),
        cmocka_unit_test(headers_that_are_none_are_refused_at_once),
        cmocka_unit_test(a_claimed_length_takes_no_memory),
        cmocka_unit_test(payloads_are_checked),
        cmocka_unit_test(verdicts_are_checked),
        cmocka_unit_test(tables_come_out_as_they_went_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
