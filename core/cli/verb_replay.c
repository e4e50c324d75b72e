#include "cli/arguments.h"
#include "cli/verb.h"

int verb_replay(int argc, char **argv)
{
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    CLEANUP(arguments_deinit) struct arguments arguments;
    CLEANUP(engine_freep) struct engine *engine = NULL;
    int status = arguments_parse(&arguments, argc, argv);

    if (status)
        return status;
    if (arguments.rest_count != 1) {
        return misused("replay: wants one file of events, or - for standard input");
    }
    if (arguments.engine.watch)
        return misused("replay: --watch is for run, which goes on long enough");
    if (arguments.engine.sensor)
        return misused("replay: --sensor is for run");
    arguments.engine.replay = true;
    int r = engine_new(&arguments.engine, &diags, &engine);

    report_start(&diags, r);
    if (r < 0)
        return EXIT_FAILED;
    return engine_replay(engine, arguments.rest[0]) < 0 ? EXIT_FAILED : EXIT_FINE;
}
