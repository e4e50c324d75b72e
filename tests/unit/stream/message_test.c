/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>

#include "base/cleanup.h"
#include "stream/message.h"

/* The only frame of SENT. */
static struct frame one_frame(struct frame_decoder *decoder, const struct buffer *sent)
{
    struct frame frame;

    assert_false(buffer_failed(sent));
    decoder->limit = STREAM_FRAME_MAX;
    for (size_t at = 0; at < sent->len;) {
        size_t room;
        char *to = frame_decoder_room(decoder, &room);
        size_t len = sent->len - at < room ? sent->len - at : room;

        memcpy(to, sent->data + at, len);
        frame_decoder_filled(decoder, len);
        at += len;
    }
    assert_int_equal(1, frame_decoder_next(decoder, &frame));
    return frame;
}

static void message_comes_as_it_went(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    CLEANUP(frame_decoder_deinit) struct frame_decoder decoder = {0};
    const struct stream_message sent = {.token = TEXT("$JS.ACK.x"),
                                        .data = {"a\0b", 3},
                                        .sequence = 7,
                                        .stored = -1,
                                        .deliveries = 2,
                                        .behind = UINT64_MAX};
    struct stream_message got;

    stream_message_put(&sent, &out);
    struct frame frame = one_frame(&decoder, &out);

    assert_int_equal(FRAME_MESSAGE, frame.type);
    assert_int_equal(0, stream_message_read(frame.payload, &got));
    assert_true(text_equal(sent.token, got.token));
    assert_true(text_equal(sent.data, got.data));
    assert_true(got.sequence == 7 && got.stored == -1 && got.deliveries == 2);
    assert_true(got.behind == UINT64_MAX);
}

static void far_off_times_are_refused(void **state)
{
    const int64_t times[] = {INT64_MAX, INT64_MIN, STREAM_STORED_MAX + 1};

    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        CLEANUP(buffer_deinit) struct buffer out = {0};
        CLEANUP(frame_decoder_deinit) struct frame_decoder decoder = {0};
        struct stream_message got;

        stream_message_put(&(struct stream_message){.token = TEXT("t"), .stored = times[i]}, &out);
        assert_int_equal(-EPROTO, stream_message_read(one_frame(&decoder, &out).payload, &got));
    }
}

static void too_long_is_known_by_its_length(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    CLEANUP(buffer_deinit) struct buffer data = {0};
    CLEANUP(frame_decoder_deinit) struct frame_decoder decoder = {0};
    struct stream_message got;

    assert_non_null(buffer_reserve(&data, STREAM_MESSAGE_MAX + 100));
    memset(data.data, 'x', STREAM_MESSAGE_MAX + 100);
    stream_message_put(
        &(struct stream_message){.token = TEXT("t"), .data = {data.data, STREAM_MESSAGE_MAX + 100}},
        &out);
    struct frame frame = one_frame(&decoder, &out);

    assert_int_equal(0, stream_message_read(frame.payload, &got));
    assert_int_equal(STREAM_MESSAGE_MAX + 1, got.data.len);
}

static void only_what_is_whole_is_read(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    CLEANUP(frame_decoder_deinit) struct frame_decoder decoder = {0};
    struct stream_message got = {.sequence = 99};

    stream_message_put(&(struct stream_message){.token = TEXT("t"), .data = TEXT("")}, &out);
    struct frame frame = one_frame(&decoder, &out);

    for (size_t len = 0; len < frame.payload.len; len++)
        assert_int_equal(-EPROTO, stream_message_read((struct text){frame.payload.ptr, len}, &got));
    assert_int_equal(99, got.sequence);
    assert_int_equal(0, stream_message_read(frame.payload, &got));
}

static void token_has_an_end(void **state)
{
    static char token[STREAM_TOKEN_MAX + 2];
    CLEANUP(buffer_deinit) struct buffer out = {0};
    CLEANUP(frame_decoder_deinit) struct frame_decoder decoder = {0};
    struct stream_message got;

    memset(token, 't', sizeof token - 1);
    stream_message_put(&(struct stream_message){.token = text_from(token)}, &out);
    assert_int_equal(-EPROTO, stream_message_read(one_frame(&decoder, &out).payload, &got));
    buffer_clear(&out);
    stream_message_put(&(struct stream_message){.token = TEXT("")}, &out);
    assert_int_equal(-EPROTO, stream_message_read(one_frame(&decoder, &out).payload, &got));
}

static void settlement_comes_as_it_went(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    CLEANUP(frame_decoder_deinit) struct frame_decoder decoder = {0};
    struct stream_settlement got;

    stream_settlement_put(&(struct stream_settlement){SOURCE_AGAIN, TEXT("t")}, &out);
    assert_int_equal(0, stream_settlement_read(one_frame(&decoder, &out).payload, &got));
    assert_int_equal(SOURCE_AGAIN, got.verdict);
    assert_string_equal("t", got.token.ptr);
    buffer_clear(&out);
    stream_settlement_put(&(struct stream_settlement){(enum source_verdict)3, TEXT("t")}, &out);
    assert_int_equal(-EPROTO, stream_settlement_read(one_frame(&decoder, &out).payload, &got));
}

static void pulse_says_one_of_its_states(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    CLEANUP(frame_decoder_deinit) struct frame_decoder decoder = {0};
    enum source_state got;

    stream_pulse_put(SOURCE_AWAY, &out);
    assert_int_equal(0, stream_pulse_read(one_frame(&decoder, &out).payload, &got));
    assert_int_equal(SOURCE_AWAY, got);
    buffer_clear(&out);
    stream_pulse_put((enum source_state)9, &out);
    assert_int_equal(-EPROTO, stream_pulse_read(one_frame(&decoder, &out).payload, &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_comes_as_it_went),
        cmocka_unit_test(far_off_times_are_refused),
        cmocka_unit_test(too_long_is_known_by_its_length),
        cmocka_unit_test(only_what_is_whole_is_read),
        cmocka_unit_test(token_has_an_end),
        cmocka_unit_test(settlement_comes_as_it_went),
        cmocka_unit_test(pulse_says_one_of_its_states),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
